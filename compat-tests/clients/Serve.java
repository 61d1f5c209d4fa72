import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.protocol.Errors;

/** Answers requests of the runner, one line of JSON each, until its input closes. */
final class Serve {
    static final ObjectMapper JSON = new ObjectMapper();

    interface Operation {
        /** Fills `ok` with what was observed. */
        void run(JsonNode request, ObjectNode ok) throws Exception;
    }

    interface Operations {
        Operation find(String name);
    }

    /** The client reported an error by a name of its own, which the runner compares. */
    static final class Named extends RuntimeException {
        Named(String name) {
            super(name);
        }
    }

    static void loop(InputStream requests, PrintStream answers, Operations operations) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(requests, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode request = JSON.readTree(line);
            ObjectNode reply = JSON.createObjectNode();
            reply.set("id", request.get("id"));
            try {
                Operation operation = operations.find(request.get("op").asText());
                operation.run(request, reply.putObject("ok"));
            } catch (Throwable thrown) {
                reply.remove("ok");
                Throwable cause = unwrap(thrown);
                String name = nameOf(cause);
                if (name == null) {
                    cause.printStackTrace();
                    reply.put("fault", cause.toString());
                } else {
                    reply.put("error", name);
                }
            }
            answers.println(JSON.writeValueAsString(reply));
            answers.flush();
        }
    }

    static byte[] bytes(JsonNode hex) {
        return hex == null || hex.isNull() ? null : HexFormat.of().parseHex(hex.asText());
    }

    static String hex(byte[] bytes) {
        return bytes == null ? null : HexFormat.of().formatHex(bytes);
    }

    private static Throwable unwrap(Throwable thrown) {
        boolean isWrapper = thrown instanceof ExecutionException || thrown instanceof CompletionException;
        return isWrapper && thrown.getCause() != null ? thrown.getCause() : thrown;
    }

    private static String nameOf(Throwable cause) {
        if (cause instanceof Named) {
            return cause.getMessage();
        }
        Errors error = Errors.forException(cause);
        if (error != Errors.UNKNOWN_SERVER_ERROR) {
            return error.name();
        }
        boolean isKafka = cause instanceof org.apache.kafka.common.KafkaException;
        return isKafka ? cause.getClass().getSimpleName() : null;
    }

    private Serve() {
    }
}
