import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.tools.ConsoleProducer;
import org.apache.kafka.tools.GetOffsetShell;
import org.apache.kafka.tools.ProducerPerformance;
import org.apache.kafka.tools.TopicCommand;
import org.apache.kafka.tools.consumer.ConsoleConsumer;
import org.apache.kafka.tools.consumer.group.ConsumerGroupCommand;

/**
 * Kafka's command-line tools, each through its own main, one after the other in one JVM: what a person would type
 * goes in as arguments and standard input, what a person would read comes out of standard output.
 */
public final class Adapter {
    // Separators that no record of the scenario contains. The null marker is text, as it must survive both tools.
    private static final String RECORD_END = "\u0001";
    private static final String FIELD_END = "\u0002";
    private static final String NULL = "<null>";
    private static final String HEADER_END = "\u0004";

    private final Map<String, List<Tool>> running = new HashMap<>();

    public static void main(String[] args) throws Exception {
        InputStream requests = System.in;
        PrintStream answers = System.out;
        Tool.install();
        Adapter adapter = new Adapter();
        Serve.loop(requests, answers, adapter::find);
        adapter.running.values().forEach(tools -> tools.forEach(Tool::interruptTool));
        System.exit(0);
    }

    private Serve.Operation find(String name) {
        return switch (name) {
            case "hello" -> this::hello;
            case "brokers" -> (request, ok) -> ok.put("canList", topics(request, "--list").code == 0);
            case "create" -> this::create;
            case "delete" -> (request, ok) -> succeed(topics(request, "--delete", "--topic", topic(request)));
            case "partitions" -> this::partitions;
            case "produce" -> this::produce;
            case "offset" -> (request, ok) -> ok.put("offset", offset(request, topic(request), request.get("at")));
            case "open" -> this::open;
            case "poll" -> this::poll;
            case "close", "leave" -> (request, ok) -> running.get(name(request)).forEach(Tool::interruptTool);
            case "join" -> this::join;
            case "assigned" -> this::assigned;
            case "received" -> this::received;
            case "consume-group" -> this::consumeGroup;
            case "commit" -> this::commit;
            case "committed" -> this::committed;
            case "perf-test" -> this::perfTest;
            default -> throw new IllegalArgumentException("no operation " + name);
        };
    }

    private void hello(JsonNode request, ObjectNode ok) throws Exception {
        Properties build = new Properties();
        build.load(KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties"));
        ok.put("version", build.getProperty("version"));
        ArrayNode codecs = ok.putArray("codecs");
        List.of("none", "gzip", "snappy", "lz4", "zstd").forEach(codecs::add);
        ArrayNode features = ok.putArray("features");
        List.of("headers", "null-headers", "delete", "error-unknown-topic", "null-records", "admin", "offset-lookup", "idempotence", "commit", "committed", "perf-test", "order")
            .forEach(features::add);
    }

    private void create(JsonNode request, ObjectNode ok) {
        List<String> args = new ArrayList<>(List.of("--create", "--topic", topic(request)));
        args.addAll(List.of("--partitions", request.get("partitions").asText()));
        request.get("configs").fields().forEachRemaining(entry ->
            args.addAll(List.of("--config", entry.getKey() + "=" + entry.getValue().asText())));
        Tool tool = topics(request, args.toArray(String[]::new));
        if (tool.code != 0) {
            throw new Serve.Named(withoutWords(errorOf(tool), topic(request)));
        }
    }

    private static void succeed(Tool tool) {
        if (tool.code != 0) {
            throw new Serve.Named(errorOf(tool));
        }
    }

    private static String errorOf(Tool tool) {
        return tool.text().lines().filter(line -> line.startsWith("Error")).findFirst().orElse(tool.text());
    }

    /** What follows the tool's own words is said by the broker, in words of its own that name the topic. */
    private static String withoutWords(String line, String topic) {
        int colon = line.indexOf(" : ");
        return colon < 0 || !line.contains("'" + topic + "'") ? line : line.substring(0, colon) + " : '" + topic + "'";
    }

    private void partitions(JsonNode request, ObjectNode ok) {
        Tool tool = topics(request, "--describe", "--topic", topic(request));
        Matcher count = Pattern.compile("PartitionCount: (\\d+)").matcher(tool.text());
        ok.put("count", count.find() ? Integer.parseInt(count.group(1)) : null);
    }

    private void produce(JsonNode request, ObjectNode ok) {
        StringBuilder lines = new StringBuilder();
        for (JsonNode row : request.get("records")) {
            List<String> headers = new ArrayList<>();
            row.get("headers").forEach(h -> headers.add(h.get(0).asText() + ":" + text(h.get(1))));
            lines.append(headers.isEmpty() ? NULL : String.join(HEADER_END, headers)).append(FIELD_END);
            lines.append(text(row.get("key"))).append(FIELD_END).append(text(row.get("value"))).append('\n');
        }
        List<String> args = new ArrayList<>(bootstrap(request));
        args.addAll(List.of("--topic", topic(request), "--request-required-acks", request.get("acks").asText()));
        if (!request.get("codec").asText().equals("none")) {
            args.addAll(List.of("--compression-codec", request.get("codec").asText()));
        }
        args.addAll(List.of("--command-property", "enable.idempotence=" + request.get("idempotent").asText()));
        for (String property : List.of("parse.key=true", "parse.headers=true", "key.separator=" + FIELD_END,
            "headers.delimiter=" + FIELD_END, "headers.separator=" + HEADER_END, "null.marker=" + NULL)) {
            args.addAll(List.of("--reader-property", property));
        }
        Tool tool = new Tool(ConsoleProducer::main, args, lines.toString()).runToEnd();
        if (tool.code != 0 || tool.text().contains("ERROR")) {
            throw new IllegalStateException(tool.text());
        }
        ok.putNull("results");
    }

    private Long offset(JsonNode request, String topic, JsonNode at) {
        String time = at.asText().equals("start") ? "earliest" : at.asText().equals("end") ? "latest" : at.asText();
        List<String> args = new ArrayList<>(bootstrap(request));
        args.addAll(List.of("--topic-partitions", topic + ":0", "--time", time));
        Tool tool = new Tool(GetOffsetShell::main, args, "").runToEnd();
        Matcher found = Pattern.compile(Pattern.quote(topic) + ":0:(-?\\d+)").matcher(tool.text());
        return found.find() ? Long.valueOf(found.group(1)) : null;
    }

    // The consumer tool starts at an offset; get-offsets finds the one of a timestamp or of the end.
    private void open(JsonNode request, ObjectNode ok) {
        List<Tool> tools = new ArrayList<>();
        for (JsonNode topic : request.get("topics")) {
            JsonNode from = request.get("from");
            JsonNode at = from.isObject() ? from.get("timestamp") : from;
            List<String> args = consumer(request, topic.asText());
            Long start = at.asText().equals("start") ? null : offset(request, topic.asText(), at);
            args.addAll(List.of("--partition", "0", "--offset", start == null ? "earliest" : start.toString()));
            tools.add(new Tool(ConsoleConsumer::main, args, "", topic.asText()));
        }
        tools.forEach(Tool::start);
        running.put(name(request), tools);
    }

    private void poll(JsonNode request, ObjectNode ok) throws InterruptedException {
        int count = request.get("count").asInt();
        long deadline = System.nanoTime() + request.get("withinMs").asLong() * 1_000_000;
        while (System.nanoTime() < deadline && records(request).size() < count) {
            Thread.sleep(20);
        }
        ok.putArray("records").addAll(records(request));
    }

    private List<ObjectNode> records(JsonNode request) {
        return running.get(name(request)).stream().flatMap(tool -> parse(tool).stream()).toList();
    }

    private static List<ObjectNode> parse(Tool tool) {
        List<ObjectNode> records = new ArrayList<>();
        String text = tool.text();
        for (int start = 0, end; (end = text.indexOf(RECORD_END, start)) >= 0; start = end + 1) {
            String[] fields = text.substring(start, end).split(FIELD_END, -1);
            String[] time = fields[0].split(":");
            ObjectNode row = Serve.JSON.createObjectNode().put("topic", tool.topic);
            row.put("partition", Integer.parseInt(fields[1].replace("Partition:", "")));
            row.put("offset", Long.parseLong(fields[2].replace("Offset:", "")));
            row.put("timestamp", Long.parseLong(time[1])).put("timestampType", time[0]);
            ArrayNode headers = row.putArray("headers");
            if (!fields[3].equals("NO_HEADERS")) {
                for (String header : fields[3].split(HEADER_END)) {
                    int colon = header.indexOf(':');
                    headers.addArray().add(header.substring(0, colon)).add(hex(header.substring(colon + 1)));
                }
            }
            records.add(row.put("key", hex(fields[4])).put("value", hex(fields[5])));
        }
        return records;
    }

    private void join(JsonNode request, ObjectNode ok) {
        List<String> args = group(request);
        args.addAll(List.of("--command-property", "client.id=" + name(request)));
        Tool tool = new Tool(ConsoleConsumer::main, args, "", topic(request));
        tool.start();
        running.put(name(request), List.of(tool));
    }

    private void assigned(JsonNode request, ObjectNode ok) {
        ArrayNode partitions = ok.putArray("partitions");
        Tool tool = groups(request, "--describe", "--members", "--verbose", "--group", request.get("group").asText());
        Pattern assignment = Pattern.compile(Pattern.quote(topic(request)) + "(?:\\(|:)([\\d,]+)");
        tool.text().lines().filter(line -> line.contains(" " + name(request) + " ")).forEach(line -> {
            Matcher found = assignment.matcher(line);
            if (found.find()) {
                for (String partition : found.group(1).split(",")) {
                    partitions.add(Integer.parseInt(partition));
                }
            }
        });
    }

    private void received(JsonNode request, ObjectNode ok) {
        ArrayNode places = ok.putArray("places");
        running.get(name(request)).forEach(tool -> parse(tool).forEach(row ->
            places.addArray().add(row.get("partition")).add(row.get("offset"))));
    }

    private void consumeGroup(JsonNode request, ObjectNode ok) {
        List<String> args = group(request);
        args.addAll(List.of("--max-messages", request.get("count").asText()));
        args.addAll(List.of("--timeout-ms", request.get("withinMs").asText()));
        ok.putArray("records").addAll(parse(new Tool(ConsoleConsumer::main, args, "", topic(request)).runToEnd()));
    }

    private void commit(JsonNode request, ObjectNode ok) {
        JsonNode row = request.get("offsets").get(0);
        Tool tool = groups(request, "--group", request.get("group").asText(), "--reset-offsets", "--execute", "--topic",
            topic(request) + ":" + row.get(0).asText(), "--to-offset", row.get(1).asText());
        if (tool.code != 0) {
            throw new IllegalStateException(tool.text());
        }
    }

    private void committed(JsonNode request, ObjectNode ok) {
        ArrayNode offsets = ok.putArray("offsets");
        Tool tool = groups(request, "--describe", "--offsets", "--group", request.get("group").asText());
        Pattern row = Pattern.compile("\\s" + Pattern.quote(topic(request)) + "\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)\\s");
        Matcher found = row.matcher(tool.text());
        while (found.find()) {
            ArrayNode numbers = offsets.addArray();
            for (int i = 1; i <= 4; i++) {
                numbers.add(Long.parseLong(found.group(i)));
            }
        }
        if (offsets.isEmpty()) {
            throw new Serve.Named(tool.text().contains("COORDINATOR") ? "COORDINATOR_NOT_AVAILABLE" : tool.text().strip());
        }
    }

    private void perfTest(JsonNode request, ObjectNode ok) {
        String topic = "console-tools-perf";
        topics(request, "--create", "--topic", topic, "--partitions", "1");
        List<String> args = new ArrayList<>(bootstrap(request));
        args.addAll(List.of("--topic", topic, "--num-records", "20000", "--record-size", "100", "--throughput", "-1"));
        Tool tool = new Tool(ProducerPerformance::main, args, "").runToEnd();
        Matcher sent = Pattern.compile("^(\\d+) records sent.*50th", Pattern.MULTILINE).matcher(tool.text());
        ok.put("sent", sent.find() ? sent.group(1) : tool.text());
        ok.put("end", offset(request, topic, Serve.JSON.getNodeFactory().textNode("end")));
    }

    private static Tool topics(JsonNode request, String... args) {
        return new Tool(TopicCommand::main, with(request, args), "").runToEnd();
    }

    private static Tool groups(JsonNode request, String... args) {
        return new Tool(ConsumerGroupCommand::main, with(request, args), "").runToEnd();
    }

    private static List<String> with(JsonNode request, String... args) {
        List<String> all = new ArrayList<>(bootstrap(request));
        all.addAll(List.of(args));
        return all;
    }

    private static List<String> consumer(JsonNode request, String topic) {
        List<String> args = new ArrayList<>(bootstrap(request));
        args.addAll(List.of("--topic", topic));
        for (String property : List.of("print.timestamp=true", "print.partition=true", "print.offset=true",
            "print.headers=true", "print.key=true", "key.separator=" + FIELD_END, "headers.separator=" + HEADER_END,
            "line.separator=" + RECORD_END, "null.literal=" + NULL)) {
            args.addAll(List.of("--formatter-property", property));
        }
        return args;
    }

    private static List<String> group(JsonNode request) {
        List<String> args = consumer(request, topic(request));
        args.addAll(List.of("--group", request.get("group").asText(), "--from-beginning"));
        args.addAll(List.of("--command-property", "heartbeat.interval.ms=500"));
        args.addAll(List.of("--command-property", "session.timeout.ms=10000"));
        return args;
    }

    private static List<String> bootstrap(JsonNode request) {
        return List.of("--bootstrap-server", request.get("bootstrap").asText());
    }

    private static String topic(JsonNode request) {
        return request.get("topic").asText();
    }

    private static String name(JsonNode request) {
        return request.get("name").asText();
    }

    private static String text(JsonNode hex) {
        return hex.isNull() ? NULL : new String(Serve.bytes(hex), StandardCharsets.UTF_8);
    }

    private static String hex(String text) {
        return text.equals(NULL) ? null : Serve.hex(text.getBytes(StandardCharsets.UTF_8));
    }
}
