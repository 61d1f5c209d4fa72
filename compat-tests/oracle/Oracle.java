import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * Apache Kafka's own message classes behind a line protocol: one command a line on standard input, one answer a line
 * on standard output, "ok ..." or "error ...".
 *
 * describe M              the wire format of message M as its class declares it, as JSON
 * encode M V JSON         the bytes of that value in version V, as hex
 * recode M V HEX          parses HEX and encodes the result again
 * batch JSON              one record batch, built by Kafka, as hex
 * records HEX             what Kafka reads in record batches, as JSON
 * versions K              header and body versions of API key K, as JSON
 * errors                  the error codes, as JSON
 */
public final class Oracle {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HexFormat HEX = HexFormat.of();
    private static final String[] PACKAGES = {
        "org.apache.kafka.common.message.%sData",
        "org.apache.kafka.common.message.%s",
        "org.apache.kafka.coordinator.group.generated.%s",
    };

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 20);
        var out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 20);
        String line;
        while ((line = in.readLine()) != null) {
            out.write(answer(line));
            out.write('\n');
            if (!in.ready()) out.flush();
        }
        out.flush();
    }

    private static String answer(String line) {
        String[] words = line.split(" ", 4);
        try {
            return "ok " + switch (words[0]) {
                case "describe" -> describe(classOf(words[1]));
                case "encode" -> encode(words[1], Short.parseShort(words[2]), words[3]);
                case "recode" -> recode(words[1], Short.parseShort(words[2]), words.length > 3 ? words[3] : "");
                case "batch" -> batch(JSON.readTree(line.substring(6)));
                case "records" -> records(HEX.parseHex(words[1]));
                case "versions" -> versions(Short.parseShort(words[1]));
                case "errors" -> errors();
                default -> throw new IllegalArgumentException("no such command");
            };
        } catch (Throwable t) {
            return "error " + String.valueOf(t).replace('\n', ' ');
        }
    }

    private static Class<?> classOf(String name) throws ClassNotFoundException {
        for (String pattern : PACKAGES) {
            try {
                return Class.forName(pattern.formatted(name));
            } catch (ClassNotFoundException next) {
                // The next package may have it.
            }
        }
        throw new ClassNotFoundException(name);
    }

    // ---- values ----

    private static String encode(String name, short version, String json) throws Exception {
        return toHex((Message) fill(classOf(name), JSON.readTree(json)), version);
    }

    private static String recode(String name, short version, String hex) throws Exception {
        ByteBuffer buffer = ByteBuffer.wrap(HEX.parseHex(hex));
        Constructor<?> constructor = classOf(name).getConstructor(Readable.class, short.class);
        Message message = (Message) constructor.newInstance(new ByteBufferAccessor(buffer), version);
        if (buffer.hasRemaining()) throw new IllegalStateException(buffer.remaining() + " bytes left over");
        return toHex(message, version);
    }

    private static String toHex(Message message, short version) {
        var cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        return HEX.formatHex(buffer.array(), 0, buffer.position());
    }

    private static Object fill(Class<?> type, JsonNode json) throws Exception {
        Object message = type.getConstructor().newInstance();
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            Field field = type.getDeclaredField(entry.getKey());
            field.setAccessible(true);
            field.set(message, convert(field.getGenericType(), entry.getValue()));
        }
        return message;
    }

    private static Object convert(java.lang.reflect.Type generic, JsonNode json) throws Exception {
        if (json.isNull()) return null;
        Class<?> type = generic instanceof ParameterizedType p ? (Class<?>) p.getRawType() : (Class<?>) generic;
        if (type == boolean.class) return json.booleanValue();
        if (type == byte.class || type == Byte.class) return (byte) json.intValue();
        if (type == short.class || type == Short.class) return (short) json.intValue();
        if (type == int.class || type == Integer.class) return json.intValue();
        // 64-bit integers travel as text: JavaScript's numbers would round them.
        if (type == long.class || type == Long.class) return Long.parseLong(json.textValue());
        if (type == double.class || type == Double.class) return json.doubleValue();
        if (type == String.class) return json.textValue();
        if (type == Uuid.class) return Uuid.fromString(json.textValue());
        if (type == byte[].class) return bytes(json);
        if (type == ByteBuffer.class) return ByteBuffer.wrap(bytes(json));
        if (type == BaseRecords.class) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(json)));
        if (Collection.class.isAssignableFrom(type)) return collection(generic, type, json);
        return fill(type, json);
    }

    private static byte[] bytes(JsonNode json) {
        return Base64.getDecoder().decode(json.textValue());
    }

    @SuppressWarnings("unchecked")
    private static Object collection(java.lang.reflect.Type generic, Class<?> type, JsonNode json) throws Exception {
        Collection<Object> items = type == List.class
            ? new ArrayList<>() : (Collection<Object>) type.getConstructor().newInstance();
        for (JsonNode item : json) items.add(convert(elementType(generic), item));
        return items;
    }

    private static java.lang.reflect.Type elementType(java.lang.reflect.Type generic) {
        var list = generic instanceof ParameterizedType p ? p : (ParameterizedType) ((Class<?>) generic).getGenericSuperclass();
        return list.getActualTypeArguments()[0];
    }

    // ---- record batches ----

    private static String batch(JsonNode json) {
        List<SimpleRecord> records = new ArrayList<>();
        for (JsonNode record : json.get("records")) {
            List<Header> headers = new ArrayList<>();
            for (JsonNode header : record.get("headers")) {
                headers.add(new RecordHeader(header.get("key").textValue(), bytesOrNull(header.get("value"))));
            }
            records.add(new SimpleRecord(Long.parseLong(record.get("timestamp").textValue()),
                bytesOrNull(record.get("key")), bytesOrNull(record.get("value")), headers.toArray(new Header[0])));
        }
        MemoryRecords built = MemoryRecords.withRecords(RecordBatch.CURRENT_MAGIC_VALUE, longOf(json, "baseOffset"),
            Compression.of(json.get("compression").textValue()).build(), TimestampType.CREATE_TIME,
            longOf(json, "producerId"), (short) json.get("producerEpoch").intValue(),
            json.get("baseSequence").intValue(), json.get("partitionLeaderEpoch").intValue(),
            json.get("isTransactional").booleanValue(), records.toArray(new SimpleRecord[0]));
        byte[] bytes = new byte[built.sizeInBytes()];
        built.buffer().duplicate().get(bytes);
        return HEX.formatHex(bytes);
    }

    private static String records(byte[] bytes) {
        ArrayNode batches = JSON.createArrayNode();
        for (RecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches()) {
            batch.ensureValid();
            ObjectNode node = batches.addObject();
            node.put("baseOffset", String.valueOf(batch.baseOffset()));
            node.put("lastOffset", String.valueOf(batch.lastOffset()));
            node.put("partitionLeaderEpoch", batch.partitionLeaderEpoch());
            node.put("maxTimestamp", String.valueOf(batch.maxTimestamp()));
            node.put("producerId", String.valueOf(batch.producerId()));
            node.put("producerEpoch", batch.producerEpoch());
            node.put("baseSequence", batch.baseSequence());
            node.put("isTransactional", batch.isTransactional());
            node.put("isControl", batch.isControlBatch());
            ArrayNode records = node.putArray("records");
            for (Record record : batch) {
                ObjectNode item = records.addObject();
                item.put("offset", String.valueOf(record.offset()));
                item.put("timestamp", String.valueOf(record.timestamp()));
                item.set("key", bytesNode(record.key()));
                item.set("value", bytesNode(record.value()));
                ArrayNode headers = item.putArray("headers");
                for (Header header : record.headers()) {
                    byte[] value = header.value();
                    headers.addObject().put("key", header.key())
                        .set("value", bytesNode(value == null ? null : ByteBuffer.wrap(value)));
                }
            }
        }
        return batches.toString();
    }

    private static long longOf(JsonNode json, String name) {
        return Long.parseLong(json.get(name).textValue());
    }

    private static byte[] bytesOrNull(JsonNode json) {
        return json.isNull() ? null : bytes(json);
    }

    private static JsonNode bytesNode(ByteBuffer buffer) {
        if (buffer == null) return JSON.nullNode();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return JSON.getNodeFactory().textNode(Base64.getEncoder().encodeToString(bytes));
    }

    // ---- descriptions ----

    private static String describe(Class<?> type) throws Exception {
        ObjectNode result = JSON.createObjectNode();
        if (type.getConstructor().newInstance() instanceof ApiMessage message) result.put("apiKey", message.apiKey());
        ArrayNode structs = result.putArray("structs");
        structs.add(describeStruct(type));
        for (Class<?> nested : type.getDeclaredClasses()) {
            if (Message.class.isAssignableFrom(nested)) structs.add(describeStruct(nested));
        }
        return result.toString();
    }

    private static ObjectNode describeStruct(Class<?> type) throws Exception {
        ObjectNode node = JSON.createObjectNode();
        Message blank = (Message) type.getConstructor().newInstance();
        Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
        node.put("name", type.getSimpleName());
        node.put("lowest", type.getField("LOWEST_SUPPORTED_VERSION").getShort(null));
        node.put("highest", type.getField("HIGHEST_SUPPORTED_VERSION").getShort(null));
        ArrayNode fields = node.putArray("fields");
        for (Field field : type.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) || field.getName().equals("_unknownTaggedFields")) continue;
            field.setAccessible(true);
            // Collections keep links of their own in their elements.
            if (field.getName().equals("next") || field.getName().equals("prev")) continue;
            fields.add(describeField(type, field, blank, schemas));
        }
        ArrayNode flexible = node.putArray("flexible");
        for (int v = 0; v < schemas.length; v++) {
            if (schemas[v] != null && tagged(schemas[v]) != null) flexible.add(v);
        }
        return node;
    }

    private static ObjectNode describeField(Class<?> type, Field field, Message blank, Schema[] schemas)
            throws Exception {
        ObjectNode node = JSON.createObjectNode();
        node.put("name", field.getName());
        String snake = field.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
        ArrayNode versions = node.putArray("versions");
        ArrayNode nullable = node.putArray("nullable");
        ObjectNode tags = node.putObject("tags");
        int position = -1;
        for (int v = 0; v < schemas.length; v++) {
            if (schemas[v] == null) continue;
            Type found = null;
            for (BoundField bound : schemas[v].fields()) {
                if (bound.def.name.equals(snake)) found = bound.def.type;
            }
            TaggedFields section = tagged(schemas[v]);
            if (section != null) {
                for (var entry : section.fields().entrySet()) {
                    if (!entry.getValue().name.equals(snake)) continue;
                    found = entry.getValue().type;
                    tags.put(String.valueOf(v), entry.getKey());
                }
            }
            if (found == null) continue;
            versions.add(v);
            if (found.isNullable()) nullable.add(v);
            node.put("type", typeName(found, field.getGenericType()));
        }
        node.set("default", defaultOf(field.get(blank), field));
        node.put("ignorable", isIgnorable(type, field, schemas));
        return node;
    }

    private static TaggedFields tagged(Schema schema) {
        BoundField[] fields = schema.fields();
        if (fields.length == 0) return null;
        return fields[fields.length - 1].def.type instanceof TaggedFields section ? section : null;
    }

    private static String typeName(Type type, java.lang.reflect.Type generic) {
        if (type.isArray()) return "[]" + typeName(type.arrayElementType().get(), elementType(generic));
        if (type instanceof Schema) return ((Class<?>) generic).getSimpleName();
        String name = type.toString().replace("COMPACT_", "").replace("NULLABLE_", "").toLowerCase(Locale.ROOT);
        return name.equals("boolean") ? "bool" : name;
    }

    private static JsonNode defaultOf(Object value, Field field) {
        if (value == null) return JSON.nullNode();
        if (value instanceof Message) return JSON.getNodeFactory().textNode("struct");
        if (value instanceof Collection<?>) return JSON.getNodeFactory().textNode("[]");
        if (value instanceof byte[] || value instanceof ByteBuffer) return JSON.getNodeFactory().textNode("bytes");
        return JSON.getNodeFactory().textNode(value.toString());
    }

    /** Whether a value that is not the default is dropped in versions without the field; null if there is none such. */
    private static Boolean isIgnorable(Class<?> type, Field field, Schema[] schemas) throws Exception {
        for (short v = 0; v < schemas.length; v++) {
            if (schemas[v] == null || hasField(schemas[v], field)) continue;
            Message message = (Message) type.getConstructor().newInstance();
            field.set(message, different(field, field.get(message)));
            var cache = new ObjectSerializationCache();
            try {
                ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, v));
                message.write(new ByteBufferAccessor(buffer), cache, v);
                return true;
            } catch (UnsupportedVersionException e) {
                return false;
            } catch (RuntimeException e) {
                continue; // Another field of the blank message has no place in this version.
            }
        }
        return null;
    }

    private static boolean hasField(Schema schema, Field field) {
        String snake = field.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
        TaggedFields section = tagged(schema);
        return Arrays.stream(schema.fields()).anyMatch(bound -> bound.def.name.equals(snake))
            || section != null && section.fields().values().stream().anyMatch(f -> f.name.equals(snake));
    }

    private static Object different(Field field, Object value) throws Exception {
        Class<?> type = field.getType();
        if (type == boolean.class) return !(Boolean) value;
        if (type == byte.class) return (byte) ((Byte) value + 5);
        if (type == short.class) return (short) ((Short) value + 5);
        if (type == int.class) return (Integer) value + 5;
        if (type == long.class) return (Long) value + 5;
        if (type == double.class) return (Double) value + 5;
        if (type == String.class) return value + "x";
        if (type == Uuid.class) return new Uuid(1, 2);
        if (type == byte[].class) return new byte[] {1};
        if (type == ByteBuffer.class) return ByteBuffer.wrap(new byte[] {1});
        if (type == BaseRecords.class) return MemoryRecords.readableRecords(ByteBuffer.wrap(new byte[] {1}));
        if (type == List.class) return List.of(differentElement(elementType(field.getGenericType())));
        if (Collection.class.isAssignableFrom(type)) {
            return collection(field.getGenericType(), type, JSON.readTree("[{}]"));
        }
        Object struct = type.getConstructor().newInstance();
        if (value == null) return struct;
        for (Field inner : type.getDeclaredFields()) {
            if (Modifier.isStatic(inner.getModifiers()) || inner.getName().startsWith("_")) continue;
            inner.setAccessible(true);
            inner.set(struct, different(inner, inner.get(struct)));
            break;
        }
        return struct;
    }

    private static Object differentElement(java.lang.reflect.Type type) throws Exception {
        if (type == Integer.class) return 7;
        if (type == Short.class) return (short) 7;
        if (type == Byte.class) return (byte) 7;
        if (type == Long.class) return 7L;
        if (type == String.class) return "x";
        if (type == Uuid.class) return new Uuid(1, 2);
        return ((Class<?>) type).getConstructor().newInstance();
    }

    // ---- tables ----

    private static String versions(short key) {
        ApiKeys api = ApiKeys.forId(key);
        ObjectNode node = JSON.createObjectNode();
        node.put("name", api.name);
        node.put("lowest", api.oldestVersion());
        node.put("highest", api.latestVersion(false));
        ObjectNode headers = node.putObject("headers");
        for (short v = api.oldestVersion(); v <= api.latestVersion(false); v++) {
            headers.putArray(String.valueOf(v)).add(api.requestHeaderVersion(v)).add(api.responseHeaderVersion(v));
        }
        return node.toString();
    }

    private static String errors() {
        ObjectNode node = JSON.createObjectNode();
        for (Errors error : Errors.values()) node.put(error.name(), error.code());
        return node.toString();
    }
}
