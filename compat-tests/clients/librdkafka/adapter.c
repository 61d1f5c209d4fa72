/* librdkafka as Debian ships it, behind the runner's requests. Members of groups are served between requests. */
#include <cjson/cJSON.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

#define MAX_CLIENTS 64
#define OPERATION_MS 20000

/* One consumer or producer of the run, found again by its name. */
struct client {
    char name[128];
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    cJSON *owned;  /* a member's partitions now */
    cJSON *places; /* what a member received: [partition, offset] */
    int is_member;
};

static struct client clients[MAX_CLIENTS];
static char problem[512];
static int is_problem_named;

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void fail_named(rd_kafka_resp_err_t error) {
    is_problem_named = 1;
    snprintf(problem, sizeof problem, "%s", rd_kafka_err2name(error));
}

static void fail(const char *text) {
    is_problem_named = 0;
    snprintf(problem, sizeof problem, "%s", text);
}

static struct client *find(const char *name) {
    for (int i = 0; i < MAX_CLIENTS; i++)
        if (clients[i].rk != NULL && strcmp(clients[i].name, name) == 0) return &clients[i];
    return NULL;
}

static struct client *add(const char *name, rd_kafka_t *rk) {
    for (int i = 0; i < MAX_CLIENTS; i++) {
        if (clients[i].rk != NULL) continue;
        memset(&clients[i], 0, sizeof clients[i]);
        snprintf(clients[i].name, sizeof clients[i].name, "%s", name);
        clients[i].rk = rk;
        return &clients[i];
    }
    fprintf(stderr, "more than %d clients\n", MAX_CLIENTS);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char error[256];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) == RD_KAFKA_CONF_OK) return;
    fprintf(stderr, "%s=%s: %s\n", name, value, error);
    exit(1);
}

static void close_client(struct client *client) {
    if (rd_kafka_type(client->rk) == RD_KAFKA_CONSUMER) rd_kafka_consumer_close(client->rk);
    if (client->queue != NULL) rd_kafka_queue_destroy(client->queue);
    rd_kafka_destroy(client->rk);
    client->rk = NULL;
}

/* Producers */

struct delivery {
    cJSON *places;
    cJSON *times;
    int missing;
    rd_kafka_resp_err_t error;
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk, (void)opaque;
    struct delivery *delivery = ((void **)message->_private)[0];
    int index = (int)(intptr_t)((void **)message->_private)[1];
    free(message->_private);
    delivery->missing--;
    if (message->err) {
        delivery->error = message->err;
        return;
    }
    cJSON *row = cJSON_GetArrayItem(delivery->places, index);
    cJSON_SetNumberValue(cJSON_GetArrayItem(row, 0), message->partition);
    cJSON_SetNumberValue(cJSON_GetArrayItem(row, 1), (double)message->offset);
    cJSON_SetNumberValue(cJSON_GetArrayItem(delivery->times, index), (double)rd_kafka_message_timestamp(message, NULL));
}

static rd_kafka_t *producer(const cJSON *request) {
    char name[128], acks[8];
    int is_idempotent = cJSON_IsTrue(cJSON_GetObjectItem(request, "idempotent"));
    snprintf(acks, sizeof acks, "%d", (int)number_of(request, "acks"));
    snprintf(name, sizeof name, "producer %s %s %d", text_of(request, "codec"), acks, is_idempotent);
    struct client *known = find(name);
    if (known != NULL) return known->rk;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", text_of(request, "bootstrap"));
    set(conf, "compression.codec", text_of(request, "codec"));
    set(conf, "acks", acks);
    set(conf, "enable.idempotence", is_idempotent ? "true" : "false");
    set(conf, "message.timeout.ms", "20000");
    set(conf, "linger.ms", "50"); /* one batch: a single small record would not be worth compressing */
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    return add(name, rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0))->rk;
}

static rd_kafka_resp_err_t send_record(rd_kafka_t *rk, const char *topic, const cJSON *record, void *opaque) {
    size_t key_length, value_length;
    char *key = bytes_of(cJSON_GetObjectItem(record, "key"), &key_length);
    char *value = bytes_of(cJSON_GetObjectItem(record, "value"), &value_length);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(record, "headers")) {
        size_t length;
        char *bytes = bytes_of(cJSON_GetArrayItem(row, 1), &length);
        rd_kafka_header_add(headers, cJSON_GetArrayItem(row, 0)->valuestring, -1, bytes, (ssize_t)length);
        free(bytes);
    }
    int64_t timestamp = number_of(record, "timestamp");
    rd_kafka_resp_err_t error = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION((int32_t)number_of(record, "partition")),
        RD_KAFKA_V_KEY(key, key_length), RD_KAFKA_V_VALUE(value, value_length),
        RD_KAFKA_V_TIMESTAMP(timestamp < 0 ? 0 : timestamp), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    if (error) rd_kafka_headers_destroy(headers);
    free(key);
    free(value);
    return error;
}

static void produce(const cJSON *request, cJSON *ok) {
    rd_kafka_t *rk = producer(request);
    struct delivery delivery = {cJSON_AddArrayToObject(ok, "results"), cJSON_AddArrayToObject(ok, "times"), 0, 0};
    const cJSON *record;
    int index = 0;
    cJSON_ArrayForEach(record, cJSON_GetObjectItem(request, "records")) {
        add_pair(delivery.places, -1, -1);
        cJSON_AddItemToArray(delivery.times, cJSON_CreateNumber(-1));
        void **opaque = malloc(2 * sizeof(void *));
        opaque[0] = &delivery;
        opaque[1] = (void *)(intptr_t)index++;
        rd_kafka_resp_err_t error = send_record(rk, text_of(request, "topic"), record, opaque);
        if (error) {
            free(opaque);
            delivery.error = error;
        } else {
            delivery.missing++;
        }
    }
    int64_t deadline = now_ms() + 30000;
    while (delivery.missing > 0 && now_ms() < deadline) rd_kafka_poll(rk, 100);
    if (delivery.missing > 0) fail("no delivery report within 30 s");
    else if (delivery.error) fail_named(delivery.error);
}

/* Administration */

static rd_kafka_t *admin(const cJSON *request) {
    struct client *known = find("admin");
    if (known != NULL) return known->rk;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", text_of(request, "bootstrap"));
    return add("admin", rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0))->rk;
}

static rd_kafka_event_t *await_event(rd_kafka_queue_t *queue) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, OPERATION_MS);
    if (event == NULL) fail("no answer to an administration request");
    else if (rd_kafka_event_error(event)) fail_named(rd_kafka_event_error(event));
    return event;
}

static void check_topics(const rd_kafka_topic_result_t **results, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_topic_result_error(results[i])) fail_named(rd_kafka_topic_result_error(results[i]));
}

static void create(const cJSON *request, cJSON *ok) {
    (void)ok;
    char error[256];
    rd_kafka_t *rk = admin(request);
    int partitions = (int)number_of(request, "partitions");
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(text_of(request, "topic"), partitions, 1, error, sizeof error);
    const cJSON *config;
    cJSON_ArrayForEach(config, cJSON_GetObjectItem(request, "configs"))
        rd_kafka_NewTopic_set_config(topic, config->string, config->valuestring);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = await_event(queue);
    if (event != NULL && problem[0] == 0) {
        size_t count;
        const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
        const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
        check_topics(topics, count);
    }
    rd_kafka_NewTopic_destroy(topic);
    if (event != NULL) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
}

static void delete_topic(const cJSON *request, cJSON *ok) {
    (void)ok;
    rd_kafka_t *rk = admin(request);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(text_of(request, "topic"));
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = await_event(queue);
    if (event != NULL && problem[0] == 0) {
        size_t count;
        const rd_kafka_DeleteTopics_result_t *result = rd_kafka_event_DeleteTopics_result(event);
        const rd_kafka_topic_result_t **topics = rd_kafka_DeleteTopics_result_topics(result, &count);
        check_topics(topics, count);
    }
    rd_kafka_DeleteTopic_destroy(topic);
    if (event != NULL) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
}

static const rd_kafka_metadata_t *metadata_of(rd_kafka_t *rk, const char *topic) {
    const rd_kafka_metadata_t *metadata = NULL;
    rd_kafka_topic_t *handle = topic == NULL ? NULL : rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 0, handle, &metadata, OPERATION_MS);
    if (handle != NULL) rd_kafka_topic_destroy(handle);
    if (error) fail_named(error);
    else if (topic != NULL && metadata->topic_cnt == 0) fail_named(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    else if (topic != NULL && metadata->topics[0].err) fail_named(metadata->topics[0].err);
    if (problem[0] == 0) return metadata;
    if (metadata != NULL) rd_kafka_metadata_destroy(metadata);
    return NULL;
}

static void brokers(const cJSON *request, cJSON *ok) {
    const rd_kafka_metadata_t *metadata = metadata_of(admin(request), NULL);
    if (metadata == NULL) return;
    cJSON *ids = cJSON_AddArrayToObject(ok, "ids");
    for (int i = 0; i < metadata->broker_cnt; i++) cJSON_AddItemToArray(ids, cJSON_CreateNumber(metadata->brokers[i].id));
    cJSON_AddNumberToObject(ok, "controller", rd_kafka_controllerid(admin(request), OPERATION_MS));
    rd_kafka_metadata_destroy(metadata);
}

static void partitions(const cJSON *request, cJSON *ok) {
    const rd_kafka_metadata_t *metadata = metadata_of(admin(request), text_of(request, "topic"));
    if (metadata == NULL) return;
    cJSON_AddNumberToObject(ok, "count", metadata->topics[0].partition_cnt);
    rd_kafka_metadata_destroy(metadata);
}

/* Consumers */

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list, void *opaque) {
    (void)opaque;
    int is_assign = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    rd_kafka_assign(rk, is_assign ? list : NULL);
    for (int i = 0; i < MAX_CLIENTS; i++) {
        if (clients[i].rk != rk || !clients[i].is_member) continue;
        cJSON_Delete(clients[i].owned);
        clients[i].owned = cJSON_CreateArray();
        for (int j = 0; is_assign && j < list->cnt; j++)
            cJSON_AddItemToArray(clients[i].owned, cJSON_CreateNumber(list->elems[j].partition));
    }
}

static rd_kafka_t *consumer(const cJSON *request, const char *group, const char *reset, int auto_commit) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", text_of(request, "bootstrap"));
    set(conf, "group.id", group);
    set(conf, "auto.offset.reset", reset);
    set(conf, "enable.auto.commit", auto_commit ? "true" : "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "heartbeat.interval.ms", "500");
    set(conf, "session.timeout.ms", "10000");
    set(conf, "fetch.wait.max.ms", "100");
    set(conf, "check.crcs", "true");
    if (text_of(request, "instanceId")[0] != 0) set(conf, "group.instance.id", text_of(request, "instanceId"));
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

static cJSON *headers_of(const rd_kafka_message_t *message) {
    cJSON *rows = cJSON_CreateArray();
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t length;
    if (rd_kafka_message_headers(message, &headers)) return rows;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &length) == 0; i++) {
        cJSON *row = cJSON_CreateArray();
        cJSON_AddItemToArray(row, cJSON_CreateString(name));
        cJSON_AddItemToArray(row, hex_of(value, length));
        cJSON_AddItemToArray(rows, row);
    }
    return rows;
}

static cJSON *record_of(const rd_kafka_message_t *message) {
    rd_kafka_timestamp_type_t type;
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "topic", rd_kafka_topic_name(message->rkt));
    cJSON_AddNumberToObject(row, "partition", message->partition);
    cJSON_AddNumberToObject(row, "offset", (double)message->offset);
    cJSON_AddNumberToObject(row, "timestamp", (double)rd_kafka_message_timestamp(message, &type));
    cJSON_AddStringToObject(row, "timestampType", type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? "LogAppendTime" : "CreateTime");
    cJSON_AddItemToObject(row, "key", hex_of(message->key, message->key_len));
    cJSON_AddItemToObject(row, "value", hex_of(message->payload, message->len));
    cJSON_AddItemToObject(row, "headers", headers_of(message));
    return row;
}

/* Reads up to `count` records; `last` receives where each partition of the first topic goes on. */
static void read_records(rd_kafka_t *rk, const cJSON *request, cJSON *ok, rd_kafka_topic_partition_list_t *next) {
    cJSON *records = cJSON_AddArrayToObject(ok, "records");
    int64_t count = number_of(request, "count");
    int64_t deadline = now_ms() + number_of(request, "withinMs");
    while (cJSON_GetArraySize(records) < count && now_ms() < deadline) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);
        if (message == NULL) continue;
        if (message->err == 0) {
            cJSON_AddItemToArray(records, record_of(message));
            const char *topic = rd_kafka_topic_name(message->rkt);
            if (next != NULL) {
                rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_find(next, topic, message->partition);
                if (place == NULL) place = rd_kafka_topic_partition_list_add(next, topic, message->partition);
                place->offset = message->offset + 1;
            }
        }
        rd_kafka_message_destroy(message);
    }
}

static void await_ends(rd_kafka_t *rk, int count) {
    int64_t deadline = now_ms() + OPERATION_MS;
    while (count > 0 && now_ms() < deadline) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);
        if (message == NULL) continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) count--;
        rd_kafka_message_destroy(message);
    }
    if (count > 0) fail("the end was not reached");
}

static void open_consumer(const cJSON *request, cJSON *ok) {
    (void)ok;
    const cJSON *from = cJSON_GetObjectItem(request, "from");
    int is_end = cJSON_IsString(from) && strcmp(from->valuestring, "end") == 0;
    int64_t start = is_end ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    if (cJSON_IsObject(from)) start = number_of(from, "timestamp");
    rd_kafka_t *rk = consumer(request, "unused", "error", 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    const cJSON *topic;
    cJSON_ArrayForEach(topic, cJSON_GetObjectItem(request, "topics")) {
        const rd_kafka_metadata_t *metadata = metadata_of(rk, topic->valuestring);
        if (metadata == NULL) continue;
        for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
            rd_kafka_topic_partition_list_add(list, topic->valuestring, i)->offset = start;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_resp_err_t error = cJSON_IsObject(from) ? rd_kafka_offsets_for_times(rk, list, OPERATION_MS) : 0;
    if (error) fail_named(error);
    rd_kafka_assign(rk, list);
    add(text_of(request, "name"), rk);
    if (is_end) await_ends(rk, list->cnt);
    rd_kafka_topic_partition_list_destroy(list);
}

static void poll_consumer(const cJSON *request, cJSON *ok) {
    read_records(find(text_of(request, "name"))->rk, request, ok, NULL);
}

static void leave(const cJSON *request, cJSON *ok) {
    (void)ok;
    struct client *client = find(text_of(request, "name"));
    client->is_member = 0;
    rd_kafka_consumer_close(client->rk);
}

static void close_consumer(const cJSON *request, cJSON *ok) {
    (void)ok;
    close_client(find(text_of(request, "name")));
}

static void offset(const cJSON *request, cJSON *ok) {
    const cJSON *at = cJSON_GetObjectItem(request, "at");
    rd_kafka_t *rk = admin(request);
    const char *topic = text_of(request, "topic");
    if (cJSON_IsNumber(at)) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, topic, 0)->offset = (int64_t)at->valuedouble;
        rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(rk, list, OPERATION_MS);
        if (error) fail_named(error);
        if (list->elems[0].offset == RD_KAFKA_OFFSET_END) cJSON_AddNullToObject(ok, "offset");
        else cJSON_AddNumberToObject(ok, "offset", (double)list->elems[0].offset);
        rd_kafka_topic_partition_list_destroy(list);
        return;
    }
    int64_t low, high;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(rk, topic, 0, &low, &high, OPERATION_MS);
    if (error) fail_named(error);
    cJSON_AddNumberToObject(ok, "offset", (double)(strcmp(at->valuestring, "start") == 0 ? low : high));
}

static void fetch_at(const cJSON *request, cJSON *ok) {
    (void)ok;
    rd_kafka_t *rk = consumer(request, "unused", "error", 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, text_of(request, "topic"), 0)->offset = number_of(request, "offset");
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, OPERATION_MS);
    if (message == NULL) fail("neither a record nor an error");
    else fail_named(message->err);
    if (message != NULL) rd_kafka_message_destroy(message);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

/* Groups */

static void subscribe(rd_kafka_t *rk, const char *topic) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void join(const cJSON *request, cJSON *ok) {
    (void)ok;
    struct client *member = add(text_of(request, "name"), consumer(request, text_of(request, "group"), "earliest", 1));
    member->is_member = 1;
    member->owned = cJSON_CreateArray();
    member->places = cJSON_CreateArray();
    subscribe(member->rk, text_of(request, "topic"));
}

static void serve_members(void) {
    for (int i = 0; i < MAX_CLIENTS; i++) {
        struct client *client = &clients[i];
        if (client->rk == NULL || !client->is_member) continue;
        rd_kafka_message_t *message;
        while ((message = rd_kafka_consumer_poll(client->rk, 0)) != NULL) {
            if (message->err == 0) add_pair(client->places, message->partition, message->offset);
            rd_kafka_message_destroy(message);
        }
    }
}

static void assigned(const cJSON *request, cJSON *ok) {
    cJSON_AddItemToObject(ok, "partitions", cJSON_Duplicate(find(text_of(request, "name"))->owned, 1));
}

static void received(const cJSON *request, cJSON *ok) {
    cJSON_AddItemToObject(ok, "places", cJSON_Duplicate(find(text_of(request, "name"))->places, 1));
}

static void consume_group(const cJSON *request, cJSON *ok) {
    rd_kafka_t *rk = consumer(request, text_of(request, "group"), "earliest", 0);
    subscribe(rk, text_of(request, "topic"));
    rd_kafka_topic_partition_list_t *next = rd_kafka_topic_partition_list_new(8);
    read_records(rk, request, ok, next);
    rd_kafka_resp_err_t error = next->cnt > 0 ? rd_kafka_commit(rk, next, 0) : 0;
    if (error) fail_named(error);
    rd_kafka_topic_partition_list_destroy(next);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void commit(const cJSON *request, cJSON *ok) {
    (void)ok;
    rd_kafka_t *rk = consumer(request, text_of(request, "group"), "earliest", 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(request, "offsets")) {
        int32_t partition = (int32_t)cJSON_GetArrayItem(row, 0)->valuedouble;
        rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_add(list, text_of(request, "topic"), partition);
        place->offset = (int64_t)cJSON_GetArrayItem(row, 1)->valuedouble;
        place->metadata = strdup(cJSON_GetArrayItem(row, 2)->valuestring); /* freed with the list */
        place->metadata_size = strlen(place->metadata);
    }
    rd_kafka_resp_err_t error = rd_kafka_commit(rk, list, 0);
    if (error) fail_named(error);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void committed(const cJSON *request, cJSON *ok) {
    rd_kafka_t *rk = consumer(request, text_of(request, "group"), "earliest", 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, text_of(request, "topic"), 0);
    rd_kafka_resp_err_t error = rd_kafka_committed(rk, list, OPERATION_MS);
    if (!error) error = list->elems[0].err;
    if (error) fail_named(error);
    add_pair(cJSON_AddArrayToObject(ok, "offsets"), 0, list->elems[0].offset);
    cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(ok, "offsets"), 0);
    char *metadata = strndup(list->elems[0].metadata_size ? list->elems[0].metadata : "", list->elems[0].metadata_size);
    cJSON_AddItemToArray(row, cJSON_CreateString(metadata));
    free(metadata);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void hello(const cJSON *request, cJSON *ok) {
    (void)request;
    const char *codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    const char *features[] = {"timestamps", "headers", "null-headers", "null-records", "binary", "admin", "report-time", "older-version",
                              "offset-lookup", "errors", "idempotence", "commit", "committed", "delete", "static-members",
                              "order"};
    cJSON_AddStringToObject(ok, "version", rd_kafka_version_str());
    cJSON_AddItemToObject(ok, "codecs", cJSON_CreateStringArray(codecs, sizeof codecs / sizeof *codecs));
    cJSON_AddItemToObject(ok, "features", cJSON_CreateStringArray(features, sizeof features / sizeof *features));
}

static const struct {
    const char *name;
    void (*run)(const cJSON *request, cJSON *ok);
} operations[] = {
    {"hello", hello}, {"brokers", brokers}, {"create", create}, {"delete", delete_topic}, {"partitions", partitions},
    {"produce", produce}, {"offset", offset}, {"fetch-at", fetch_at}, {"open", open_consumer}, {"poll", poll_consumer},
    {"close", close_consumer}, {"join", join}, {"assigned", assigned}, {"received", received}, {"leave", leave},
    {"consume-group", consume_group}, {"commit", commit}, {"committed", committed},
};

static void answer(const char *line) {
    cJSON *request = cJSON_Parse(line);
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddItemToObject(reply, "id", cJSON_Duplicate(cJSON_GetObjectItem(request, "id"), 0));
    cJSON *ok = cJSON_CreateObject();
    fail("no such operation");
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, text_of(request, "op")) != 0) continue;
        problem[0] = 0;
        operations[i].run(request, ok);
    }
    if (problem[0] == 0) {
        cJSON_AddItemToObject(reply, "ok", ok);
    } else {
        cJSON_AddStringToObject(reply, is_problem_named ? "error" : "fault", problem);
        cJSON_Delete(ok);
    }
    char *text = cJSON_PrintUnformatted(reply);
    puts(text);
    fflush(stdout);
    free(text);
    cJSON_Delete(reply);
    cJSON_Delete(request);
}

/* Answers each whole line of standard input; between lines the members are served. */
int main(void) {
    size_t length = 0, room = 1 << 16;
    char *buffer = malloc(room);
    for (;;) {
        struct pollfd input = {.fd = 0, .events = POLLIN};
        int is_ready = poll(&input, 1, 20);
        serve_members();
        if (is_ready <= 0) continue;
        if (room - length < 1 << 15) buffer = realloc(buffer, room *= 2);
        ssize_t count = read(0, buffer + length, room - length - 1);
        if (count <= 0) break;
        length += (size_t)count;
        buffer[length] = 0;
        char *end;
        while ((end = memchr(buffer, '\n', length)) != NULL) {
            *end = 0;
            answer(buffer);
            length -= (size_t)(end + 1 - buffer);
            memmove(buffer, end + 1, length + 1);
        }
    }
    for (int i = 0; i < MAX_CLIENTS; i++)
        if (clients[i].rk != NULL) close_client(&clients[i]);
    return 0;
}
