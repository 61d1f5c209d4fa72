const SHOWN_MAX = 256;

/** A text that a client sent as an error message shows it: whole, unless the message would get too long to be sent. */
export function shortened(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}
