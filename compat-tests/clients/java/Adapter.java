import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Apache Kafka's Java client behind the runner's requests. */
public final class Adapter {
    private final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
    private final Map<String, KafkaConsumer<byte[], byte[]>> opened = new HashMap<>();
    private final Map<String, Member> members = new HashMap<>();
    private Admin admin;

    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        System.setOut(System.err);
        Adapter adapter = new Adapter();
        Serve.loop(System.in, answers, adapter::find);
        adapter.stop();
    }

    private Serve.Operation find(String name) {
        return switch (name) {
            case "hello" -> this::hello;
            case "brokers" -> this::brokers;
            case "create" -> this::create;
            case "delete" -> (request, ok) -> admin(request).deleteTopics(List.of(topic(request))).all().get();
            case "partitions" -> this::partitions;
            case "produce" -> this::produce;
            case "offset" -> this::offset;
            case "fetch-at" -> this::fetchAt;
            case "open" -> this::open;
            case "poll" -> this::poll;
            case "close" -> (request, ok) -> opened.remove(request.get("name").asText()).close();
            case "join" -> this::join;
            case "assigned" -> (request, ok) -> member(request).assigned(ok.putArray("partitions"));
            case "received" -> (request, ok) -> member(request).received(ok.putArray("places"));
            case "leave" -> (request, ok) -> member(request).leave();
            case "consume-group" -> this::consumeGroup;
            case "commit" -> this::commit;
            case "committed" -> this::committed;
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
        List.of("timestamps", "headers", "null-headers", "binary", "null-records", "admin", "report-time", "offset-lookup", "errors",
            "idempotence", "commit", "committed", "chained-groups", "delete", "static-members", "order",
            "split-batches").forEach(features::add);
    }

    private void brokers(JsonNode request, ObjectNode ok) throws Exception {
        ArrayNode ids = ok.putArray("ids");
        for (Node node : admin(request).describeCluster().nodes().get()) {
            ids.add(node.id());
        }
        ok.put("controller", admin(request).describeCluster().controller().get().id());
    }

    private void create(JsonNode request, ObjectNode ok) throws Exception {
        Map<String, String> configs = new HashMap<>();
        request.get("configs").fields().forEachRemaining(entry -> configs.put(entry.getKey(), entry.getValue().asText()));
        NewTopic topic = new NewTopic(topic(request), Optional.of(request.get("partitions").asInt()), Optional.empty());
        admin(request).createTopics(List.of(topic.configs(configs))).all().get();
    }

    private void partitions(JsonNode request, ObjectNode ok) throws Exception {
        ok.put("count", admin(request).describeTopics(List.of(topic(request))).allTopicNames().get()
            .get(topic(request)).partitions().size());
    }

    private void produce(JsonNode request, ObjectNode ok) throws Exception {
        KafkaProducer<byte[], byte[]> producer = producer(request);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode row : request.get("records")) {
            List<Header> headers = new ArrayList<>();
            row.get("headers").forEach(h -> headers.add(new RecordHeader(h.get(0).asText(), Serve.bytes(h.get(1)))));
            Integer partition = row.get("partition").isNull() ? null : row.get("partition").asInt();
            Long timestamp = row.get("timestamp").isNull() ? null : row.get("timestamp").asLong();
            byte[] key = Serve.bytes(row.get("key"));
            byte[] value = Serve.bytes(row.get("value"));
            sent.add(producer.send(new ProducerRecord<>(topic(request), partition, timestamp, key, value, headers)));
        }
        producer.flush();
        ArrayNode results = ok.putArray("results");
        ArrayNode times = ok.putArray("times");
        for (Future<RecordMetadata> one : sent) {
            RecordMetadata metadata = one.get();
            results.addArray().add(metadata.partition()).add(metadata.offset());
            times.add(metadata.timestamp());
        }
    }

    private void offset(JsonNode request, ObjectNode ok) throws Exception {
        TopicPartition place = new TopicPartition(topic(request), request.get("partition").asInt());
        JsonNode at = request.get("at");
        if (at.isNumber()) {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(request, null)) {
                OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(place, at.asLong())).get(place);
                ok.put("offset", found == null ? null : found.offset());
                ok.put("timestamp", found == null ? null : found.timestamp());
            }
            return;
        }
        OffsetSpec spec = at.asText().equals("start") ? OffsetSpec.earliest() : OffsetSpec.latest();
        ok.put("offset", admin(request).listOffsets(Map.of(place, spec)).partitionResult(place).get().offset());
    }

    private void fetchAt(JsonNode request, ObjectNode ok) {
        TopicPartition place = new TopicPartition(topic(request), request.get("partition").asInt());
        Properties extra = new Properties();
        extra.put("auto.offset.reset", "none");
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(request, extra)) {
            consumer.assign(List.of(place));
            consumer.seek(place, request.get("offset").asLong());
            long deadline = System.nanoTime() + 10_000_000_000L;
            while (System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(200));
            }
        }
        throw new Serve.Named("no error");
    }

    private void open(JsonNode request, ObjectNode ok) {
        KafkaConsumer<byte[], byte[]> consumer = consumer(request, null);
        List<TopicPartition> places = new ArrayList<>();
        for (JsonNode topic : request.get("topics")) {
            consumer.partitionsFor(topic.asText()).forEach(p -> places.add(new TopicPartition(p.topic(), p.partition())));
        }
        consumer.assign(places);
        JsonNode from = request.get("from");
        if (from.isObject()) {
            Map<TopicPartition, Long> times = new HashMap<>();
            places.forEach(place -> times.put(place, from.get("timestamp").asLong()));
            consumer.offsetsForTimes(times).forEach((place, found) -> consumer.seek(place, found.offset()));
        } else if (from.asText().equals("end")) {
            consumer.seekToEnd(places);
            places.forEach(consumer::position);
        } else {
            consumer.seekToBeginning(places);
        }
        opened.put(request.get("name").asText(), consumer);
    }

    private void poll(JsonNode request, ObjectNode ok) {
        read(opened.get(request.get("name").asText()), request, ok.putArray("records"));
    }

    private Map<TopicPartition, OffsetAndMetadata> read(KafkaConsumer<byte[], byte[]> consumer, JsonNode request, ArrayNode records) {
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        int count = request.get("count").asInt();
        long deadline = System.nanoTime() + request.get("withinMs").asLong() * 1_000_000;
        while (records.size() < count && System.nanoTime() < deadline) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                if (records.size() < count) {
                    write(record, records.addObject());
                    TopicPartition place = new TopicPartition(record.topic(), record.partition());
                    next.put(place, new OffsetAndMetadata(record.offset() + 1));
                }
            }
        }
        return next;
    }

    private static void write(ConsumerRecord<byte[], byte[]> record, ObjectNode row) {
        row.put("topic", record.topic()).put("partition", record.partition()).put("offset", record.offset());
        row.put("timestamp", record.timestamp()).put("timestampType", record.timestampType().name);
        row.put("key", Serve.hex(record.key())).put("value", Serve.hex(record.value()));
        ArrayNode headers = row.putArray("headers");
        record.headers().forEach(h -> headers.addArray().add(h.key()).add(Serve.hex(h.value())));
    }

    private void join(JsonNode request, ObjectNode ok) {
        Properties extra = groupProperties(request);
        KafkaConsumer<byte[], byte[]> consumer = consumer(request, extra);
        consumer.subscribe(List.of(topic(request)));
        JsonNode forwardTo = request.get("forwardTo");
        Member member = new Member(consumer, forwardTo == null ? null : forwardTo.asText(), producer(request));
        members.put(request.get("name").asText(), member);
        member.start();
    }

    private void consumeGroup(JsonNode request, ObjectNode ok) {
        Properties extra = groupProperties(request);
        extra.put("enable.auto.commit", "false");
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(request, extra)) {
            consumer.subscribe(List.of(topic(request)));
            consumer.commitSync(read(consumer, request, ok.putArray("records")));
        }
    }

    private void commit(JsonNode request, ObjectNode ok) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (JsonNode row : request.get("offsets")) {
            TopicPartition place = new TopicPartition(topic(request), row.get(0).asInt());
            offsets.put(place, new OffsetAndMetadata(row.get(1).asLong(), row.get(2).asText()));
        }
        admin(request).alterConsumerGroupOffsets(request.get("group").asText(), offsets).all().get();
    }

    private void committed(JsonNode request, ObjectNode ok) throws Exception {
        ArrayNode rows = ok.putArray("offsets");
        String group = request.get("group").asText();
        Map<TopicPartition, OffsetAndMetadata> found =
            admin(request).listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        new TreeMap<>(Map.copyOf(byPartition(found))).forEach((partition, offset) ->
            rows.addArray().add(partition).add(offset.offset()).add(offset.metadata()));
    }

    private static Map<Integer, OffsetAndMetadata> byPartition(Map<TopicPartition, OffsetAndMetadata> found) {
        Map<Integer, OffsetAndMetadata> rows = new HashMap<>();
        found.forEach((place, offset) -> rows.put(place.partition(), offset));
        return rows;
    }

    private void stop() {
        members.values().forEach(Member::leave);
        opened.values().forEach(KafkaConsumer::close);
        producers.values().forEach(producer -> producer.close(Duration.ofSeconds(2)));
        if (admin != null) {
            admin.close(Duration.ofSeconds(2));
        }
    }

    private Member member(JsonNode request) {
        return members.get(request.get("name").asText());
    }

    private static String topic(JsonNode request) {
        return request.get("topic").asText();
    }

    private Admin admin(JsonNode request) {
        if (admin == null) {
            admin = Admin.create(properties(request));
        }
        return admin;
    }

    private KafkaProducer<byte[], byte[]> producer(JsonNode request) {
        String codec = request.has("codec") ? request.get("codec").asText() : "none";
        String acks = request.has("acks") ? request.get("acks").asText() : "-1";
        boolean isIdempotent = request.has("idempotent") && request.get("idempotent").asBoolean();
        String inFlight = request.has("inFlight") ? request.get("inFlight").asText() : "5";
        return producers.computeIfAbsent(codec + acks + isIdempotent + inFlight, key -> {
            Properties properties = properties(request);
            properties.put("compression.type", codec);
            properties.put("acks", acks);
            properties.put("enable.idempotence", String.valueOf(isIdempotent));
            properties.put("max.in.flight.requests.per.connection", inFlight);
            properties.put("delivery.timeout.ms", "30000");
            properties.put("request.timeout.ms", "10000");
            return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
        });
    }

    private static KafkaConsumer<byte[], byte[]> consumer(JsonNode request, Properties extra) {
        Properties properties = properties(request);
        properties.put("enable.auto.commit", "false");
        if (extra != null) {
            properties.putAll(extra);
        }
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static Properties groupProperties(JsonNode request) {
        Properties properties = new Properties();
        properties.put("group.id", request.get("group").asText());
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "true");
        properties.put("heartbeat.interval.ms", "500");
        properties.put("session.timeout.ms", "10000");
        if (request.has("instanceId")) {
            properties.put("group.instance.id", request.get("instanceId").asText());
        }
        return properties;
    }

    private static Properties properties(JsonNode request) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", request.get("bootstrap").asText());
        return properties;
    }

    /** Consumes on a thread of its own until it is told to leave. */
    private static final class Member extends Thread {
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final String forwardTo;
        private final KafkaProducer<byte[], byte[]> producer;
        private final List<long[]> places = new ArrayList<>();
        private volatile Set<TopicPartition> assignment = Set.of();
        private volatile boolean isLeaving;

        Member(KafkaConsumer<byte[], byte[]> consumer, String forwardTo, KafkaProducer<byte[], byte[]> producer) {
            this.consumer = consumer;
            this.forwardTo = forwardTo;
            this.producer = producer;
            setDaemon(true);
        }

        @Override
        public void run() {
            try (consumer) {
                while (!isLeaving) {
                    take(consumer.poll(Duration.ofMillis(100)));
                    assignment = Set.copyOf(consumer.assignment());
                }
            } catch (RuntimeException error) {
                error.printStackTrace();
            }
        }

        private synchronized void take(Iterable<ConsumerRecord<byte[], byte[]>> records) {
            for (ConsumerRecord<byte[], byte[]> record : records) {
                places.add(new long[] {record.partition(), record.offset()});
                if (forwardTo != null) {
                    producer.send(new ProducerRecord<>(forwardTo, record.key(), record.value()));
                }
            }
        }

        void assigned(ArrayNode partitions) {
            Collection<TopicPartition> now = assignment;
            now.forEach(place -> partitions.add(place.partition()));
        }

        synchronized void received(ArrayNode rows) {
            places.forEach(place -> rows.addArray().add(place[0]).add(place[1]));
        }

        void leave() {
            isLeaving = true;
            try {
                join(15_000);
            } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
