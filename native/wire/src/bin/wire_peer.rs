//! Reads lines `<api key> <version> <part> <hex>` from standard input, where the part is `request`,
//! `response` (bodies of Produce and Fetch), `request-header` or `response-header` (any API). Answers
//! each with `ok <hex>`, the message read and written again, or `error <reason>`.

use std::io::{self, BufRead, BufWriter, Write};

use ms_wire::recode::{Part, from_hex, recode, to_hex};

fn main() -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        match answer(&line?) {
            Ok(hex) => writeln!(out, "ok {hex}")?,
            Err(reason) => writeln!(out, "error {reason}")?,
        }
        // The other side waits for each answer.
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<String, String> {
    let mut words = line.split_whitespace();
    let mut word = || words.next();
    let api_key = number(word())?;
    let version = number(word())?;
    let part = match word() {
        Some("request") => Part::Request,
        Some("response") => Part::Response,
        Some("request-header") => Part::RequestHeader,
        Some("response-header") => Part::ResponseHeader,
        other => return Err(format!("unknown part {other:?}")),
    };
    let message = from_hex(word().unwrap_or_default()).ok_or("not hexadecimal")?;
    let again = recode(api_key, version, part, &message).map_err(|error| error.to_string())?;
    Ok(to_hex(&again))
}

fn number(word: Option<&str>) -> Result<i16, String> {
    word.and_then(|word| word.parse().ok()).ok_or_else(|| format!("not a number: {word:?}"))
}
