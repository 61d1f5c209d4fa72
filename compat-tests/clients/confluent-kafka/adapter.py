"""confluent-kafka for Python (its wheel carries a librdkafka of its own)."""

import json
import logging
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, NewTopic

from serve import Named, fault, from_hex, reply, to_hex

TIME_TYPES = {1: "CreateTime", 2: "LogAppendTime"}


COMPLAINT = re.compile(
    r"malformed|underflow|parse (?:failure|error)|invalid (?:response|message)", re.IGNORECASE
)
FEATURES = re.compile(r"Updated enabled protocol features.* to (.*)$")


class Lines(logging.Handler):
    def __init__(self, lines):
        super().__init__()
        self.lines = lines

    def emit(self, record):
        self.lines.append(record.getMessage())


class Member(threading.Thread):
    """Consumes on a thread of its own until it is told to leave."""

    def __init__(self, consumer, topic, producer=None, forward_to=None):
        super().__init__(daemon=True)
        self.consumer = consumer
        self.producer = producer
        self.forward_to = forward_to
        self.partitions = []
        self.places = []
        self.is_leaving = False
        consumer.subscribe([topic], on_assign=self.assign, on_revoke=self.revoke)

    def assign(self, _consumer, partitions):
        self.partitions = [p.partition for p in partitions]

    def revoke(self, _consumer, _partitions):
        self.partitions = []

    def run(self):
        while not self.is_leaving:
            message = self.consumer.poll(0.1)
            if message is not None and message.error() is None:
                self.forward(message)
                self.places.append([message.partition(), message.offset()])
        self.consumer.close()

    def forward(self, message):
        if self.forward_to is not None:
            self.producer.produce(self.forward_to, key=message.key(), value=message.value())
            self.producer.poll(0)


class Client:
    def __init__(self):
        self.shared_admin = None
        self.producers = {}
        self.opened = {}
        self.members = {}

    def hello(self, _request):
        return {
            "version": f"{ck.__version__}, librdkafka {ck.libversion()[0]}",
            "codecs": ["none", "gzip", "snappy", "lz4", "zstd"],
            "features": [
                "timestamps", "headers", "null-headers", "binary", "null-records", "admin", "report-time",
                "offset-lookup", "errors", "idempotence", "commit", "committed", "delete",
                "static-members", "order", "chained-groups", "handshake",
            ],
        }

    def handshake(self, request):
        """What the library makes of the broker's answer to ApiVersions, from its own debug log."""
        lines = []
        logger = logging.Logger("handshake")
        logger.addHandler(Lines(lines))
        config = {"bootstrap.servers": request["bootstrap"], "debug": "protocol,feature"}
        producer = ck.Producer(config, logger=logger)
        producer.list_topics(timeout=10)
        producer.poll(0.2)
        problems = [line for line in lines if COMPLAINT.search(line)]
        features = [found[1] for line in lines if (found := FEATURES.search(line))]
        return {"problems": len(problems), "features": features[-1] if features else None}

    def brokers(self, request):
        metadata = self.admin(request).list_topics(timeout=10)
        return {"ids": sorted(metadata.brokers), "controller": metadata.controller_id}

    def create(self, request):
        topic = NewTopic(request["topic"], request["partitions"], 1, config=request["configs"])
        self.finish(self.admin(request).create_topics([topic]))
        return {}

    def delete(self, request):
        self.finish(self.admin(request).delete_topics([request["topic"]]))
        return {}

    def partitions(self, request):
        metadata = self.admin(request).list_topics(request["topic"], timeout=10)
        topic = metadata.topics[request["topic"]]
        if topic.error is not None:
            raise Named(topic.error.name())
        return {"count": len(topic.partitions)}

    def produce(self, request):
        producer = self.producer(request)
        count = len(request["records"])
        results, times, failures = [None] * count, [None] * count, []

        def delivered(index):
            def on_delivery(error, message):
                if error is not None:
                    failures.append(error)
                else:
                    results[index] = [message.partition(), message.offset()]
                    times[index] = message.timestamp()[1]
            return on_delivery

        for index, record in enumerate(request["records"]):
            extra = {}
            if record["partition"] is not None:
                extra["partition"] = record["partition"]
            if record["timestamp"] is not None:
                extra["timestamp"] = record["timestamp"]
            producer.produce(
                request["topic"],
                key=from_hex(record["key"]),
                value=from_hex(record["value"]),
                headers=[(name, from_hex(value)) for name, value in record["headers"]],
                on_delivery=delivered(index),
                **extra,
            )
            producer.poll(0)
        producer.flush(30)
        if failures:
            raise Named(failures[0].name())
        return {"results": results, "times": times}

    def offset(self, request):
        consumer = self.consumer(request, {})
        place = ck.TopicPartition(request["topic"], request["partition"])
        try:
            if isinstance(request["at"], int):
                place.offset = request["at"]
                found = consumer.offsets_for_times([place], timeout=10)[0].offset
                return {"offset": None if found == ck.OFFSET_END else found}
            low, high = consumer.get_watermark_offsets(place, timeout=10)
            return {"offset": low if request["at"] == "start" else high}
        finally:
            consumer.close()

    def fetch_at(self, request):
        consumer = self.consumer(request, {"auto.offset.reset": "error"})
        consumer.assign([ck.TopicPartition(request["topic"], request["partition"], request["offset"])])
        message = consumer.poll(10)
        consumer.close()
        raise Named("nothing" if message is None or message.error() is None else message.error().name())

    def open(self, request):
        consumer = self.consumer(request, {"enable.partition.eof": "true"})
        places = []
        for topic in request["topics"]:
            known = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            places += [ck.TopicPartition(topic, partition) for partition in known]
        start = request["from"]
        for place in places:
            if isinstance(start, dict):
                place.offset = start["timestamp"]
            else:
                place.offset = ck.OFFSET_BEGINNING if start == "start" else ck.OFFSET_END
        if isinstance(start, dict):
            places = consumer.offsets_for_times(places, timeout=10)
        consumer.assign(places)
        self.opened[request["name"]] = consumer
        if start == "end":
            self.await_ends(consumer, len(places))
        return {}

    @staticmethod
    def await_ends(consumer, count):
        """Reads until every partition reported its end: from then on nothing is missed."""
        deadline = time.monotonic() + 10
        while count > 0 and time.monotonic() < deadline:
            message = consumer.poll(0.1)
            if message is not None and message.error() is not None:
                count -= message.error().code() == ck.KafkaError._PARTITION_EOF

    def poll(self, request):
        return {"records": self.read(self.opened[request["name"]], request)[0]}

    def close(self, request):
        self.opened.pop(request["name"]).close()
        return {}

    def read(self, consumer, request):
        records, last = [], None
        deadline = time.monotonic() + request["withinMs"] / 1000
        while len(records) < request["count"] and time.monotonic() < deadline:
            message = consumer.poll(0.1)
            if message is None or message.error() is not None:
                continue
            last = message
            time_type, timestamp = message.timestamp()
            records.append({
                "topic": message.topic(),
                "partition": message.partition(),
                "offset": message.offset(),
                "timestamp": timestamp,
                "timestampType": TIME_TYPES.get(time_type, "none"),
                "key": to_hex(message.key()),
                "value": to_hex(message.value()),
                "headers": [[name, to_hex(value)] for name, value in message.headers() or []],
            })
        return records, last

    def join(self, request):
        config = {"group.id": request["group"], "auto.offset.reset": "earliest"}
        if "instanceId" in request:
            config["group.instance.id"] = request["instanceId"]
        forward_to = request.get("forwardTo")
        producer = None
        if forward_to is not None:
            producer = self.producer({**request, "codec": "none", "acks": -1, "idempotent": False})
        member = Member(self.consumer(request, config), request["topic"], producer, forward_to)
        self.members[request["name"]] = member
        member.start()
        return {}

    def assigned(self, request):
        return {"partitions": self.members[request["name"]].partitions}

    def received(self, request):
        return {"places": list(self.members[request["name"]].places)}

    def leave(self, request):
        member = self.members[request["name"]]
        member.is_leaving = True
        member.join(15)
        return {}

    def consume_group(self, request):
        config = {
            "group.id": request["group"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": "false",
        }
        consumer = self.consumer(request, config)
        consumer.subscribe([request["topic"]])
        records, last = self.read(consumer, request)
        if last is not None:
            consumer.commit(last, asynchronous=False)
        consumer.close()
        return {"records": records}

    def commit(self, request):
        consumer = self.consumer(request, {"group.id": request["group"], "enable.auto.commit": "false"})
        places = [
            ck.TopicPartition(request["topic"], partition, offset, metadata=metadata)
            for partition, offset, metadata in request["offsets"]
        ]
        consumer.commit(offsets=places, asynchronous=False)
        consumer.close()
        return {}

    def committed(self, request):
        consumer = self.consumer(request, {"group.id": request["group"]})
        places = consumer.committed([ck.TopicPartition(request["topic"], 0)], timeout=10)
        consumer.close()
        return {"offsets": [[p.partition, p.offset, p.metadata or ""] for p in places]}

    def stop(self):
        for member in self.members.values():
            member.is_leaving = True
        for member in self.members.values():
            member.join(2)

    def admin(self, request):
        if self.shared_admin is None:
            self.shared_admin = AdminClient({"bootstrap.servers": request["bootstrap"]})
        return self.shared_admin

    @staticmethod
    def finish(futures):
        for future in futures.values():
            future.result(20)

    def producer(self, request):
        key = (request["codec"], request["acks"], request["idempotent"])
        if key not in self.producers:
            self.producers[key] = ck.Producer({
                "bootstrap.servers": request["bootstrap"],
                "compression.type": request["codec"],
                "acks": request["acks"],
                "enable.idempotence": request["idempotent"],
                "message.timeout.ms": 20000,
                "linger.ms": 5,
            })
        return self.producers[key]

    @staticmethod
    def consumer(request, config):
        base = {
            "bootstrap.servers": request["bootstrap"],
            "group.id": "unused",
            "heartbeat.interval.ms": 500,
            "session.timeout.ms": 10000,
            "fetch.wait.max.ms": 100,
            "check.crcs": True,
        }
        return ck.Consumer({**base, **config})


def main():
    client = Client()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            operation = getattr(client, request["op"].replace("-", "_"))
            reply(request, {"ok": operation(request)})
        except Named as error:
            reply(request, {"error": str(error)})
        except ck.KafkaException as error:
            reply(request, {"error": error.args[0].name()})
        except Exception as error:
            fault(request, error)
    client.stop()


main()
