/* What requests and answers of the runner consist of. */
#pragma once
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const cJSON *request, const char *name) {
    const cJSON *item = cJSON_GetObjectItem(request, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static int64_t number_of(const cJSON *request, const char *name) {
    const cJSON *item = cJSON_GetObjectItem(request, name);
    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : -1;
}

/* Bytes of a hexadecimal text; NULL for JSON null. The caller frees them. */
static char *bytes_of(const cJSON *item, size_t *length) {
    *length = 0;
    if (!cJSON_IsString(item)) return NULL;
    *length = strlen(item->valuestring) / 2;
    char *bytes = malloc(*length + 1);
    for (size_t i = 0; i < *length; i++) {
        unsigned value = 0;
        sscanf(item->valuestring + 2 * i, "%2x", &value);
        bytes[i] = (char)value;
    }
    return bytes;
}

static cJSON *hex_of(const void *bytes, size_t length) {
    if (bytes == NULL) return cJSON_CreateNull();
    char *text = malloc(2 * length + 1);
    text[0] = 0;
    for (size_t i = 0; i < length; i++) sprintf(text + 2 * i, "%02x", ((const unsigned char *)bytes)[i]);
    cJSON *item = cJSON_CreateString(text);
    free(text);
    return item;
}

static void add_pair(cJSON *rows, int64_t first, int64_t second) {
    cJSON *row = cJSON_CreateArray();
    cJSON_AddItemToArray(row, cJSON_CreateNumber((double)first));
    cJSON_AddItemToArray(row, cJSON_CreateNumber((double)second));
    cJSON_AddItemToArray(rows, row);
}
