"""aiokafka, the asyncio client."""

import asyncio
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from aiokafka.structs import OffsetAndMetadata

from serve import Named, fault, from_hex, reply, to_hex

TIME_TYPES = {0: "CreateTime", 1: "LogAppendTime"}


class Member(ConsumerRebalanceListener):
    """Consumes in a task of its own until it is told to leave."""

    def __init__(self, consumer, producer=None, forward_to=None):
        self.consumer = consumer
        self.producer = producer
        self.forward_to = forward_to
        self.partitions = []
        self.places = []
        self.task = None

    async def on_partitions_revoked(self, revoked):
        self.partitions = []

    async def on_partitions_assigned(self, assigned):
        self.partitions = [place.partition for place in assigned]

    async def run(self):
        async for message in self.consumer:
            if self.forward_to is not None:
                await self.producer.send(self.forward_to, key=message.key, value=message.value)
            self.places.append([message.partition, message.offset])

    async def leave(self):
        if self.task is not None:
            self.task.cancel()
            self.task = None
            await self.consumer.stop()


class Client:
    def __init__(self):
        self.shared_admin = None
        self.producers = {}
        self.opened = {}
        self.members = {}

    async def hello(self, _request):
        return {
            "version": aiokafka.__version__,
            "codecs": ["none", "gzip", "snappy", "lz4", "zstd"],
            "features": [
                "timestamps", "headers", "null-headers", "binary", "admin", "report-time",
                "offset-lookup", "errors", "idempotence", "commit", "committed", "delete",
                "static-members", "order", "chained-groups",
            ],
        }

    async def brokers(self, request):
        cluster = await (await self.admin(request)).describe_cluster()
        return {
            "ids": sorted(broker["node_id"] for broker in cluster["brokers"]),
            "controller": cluster["controller_id"],
        }

    async def create(self, request):
        topic = NewTopic(request["topic"], request["partitions"], 1, topic_configs=request["configs"])
        answer = await (await self.admin(request)).create_topics([topic])
        for row in answer.topic_errors:
            self.check(row[1])
        return {}

    async def delete(self, request):
        answer = await (await self.admin(request)).delete_topics([request["topic"]])
        for row in answer.topic_error_codes:
            self.check(row[1])
        return {}

    @staticmethod
    def check(code):
        if code != 0:
            raise Named(for_code(code).message)

    async def partitions(self, request):
        (topic,) = await (await self.admin(request)).describe_topics([request["topic"]])
        self.check(topic["error_code"])
        return {"count": len(topic["partitions"])}

    async def produce(self, request):
        producer = await self.producer(request)
        sent = []
        for record in request["records"]:
            sent.append(await producer.send(
                request["topic"],
                key=from_hex(record["key"]),
                value=from_hex(record["value"]),
                partition=record["partition"],
                timestamp_ms=record["timestamp"],
                headers=[(name, from_hex(value)) for name, value in record["headers"]],
            ))
        done = await asyncio.wait_for(asyncio.gather(*sent), 30)
        if request["acks"] == 0:
            return {"results": None}
        return {
            "results": [[row.partition, row.offset] for row in done],
            "times": [row.timestamp for row in done],
        }

    async def offset(self, request):
        place = TopicPartition(request["topic"], request["partition"])
        consumer = await self.consumer(request)
        try:
            if request["at"] == "start":
                return {"offset": (await consumer.beginning_offsets([place]))[place]}
            if request["at"] == "end":
                return {"offset": (await consumer.end_offsets([place]))[place]}
            found = (await consumer.offsets_for_times({place: request["at"]}))[place]
            return {"offset": None if found is None else found.offset}
        finally:
            await consumer.stop()

    async def fetch_at(self, request):
        place = TopicPartition(request["topic"], request["partition"])
        consumer = await self.consumer(request, auto_offset_reset="none")
        consumer.assign([place])
        consumer.seek(place, request["offset"])
        try:
            await asyncio.wait_for(consumer.getone(), 10)
        finally:
            await consumer.stop()
        raise Named("no error")

    async def open(self, request):
        consumer = await self.consumer(request)
        places = []
        for topic in request["topics"]:
            (known,) = await (await self.admin(request)).describe_topics([topic])
            places += [TopicPartition(topic, row["partition"]) for row in known["partitions"]]
        consumer.assign(places)
        start = request["from"]
        if isinstance(start, dict):
            found = await consumer.offsets_for_times({p: start["timestamp"] for p in places})
            for place, position in found.items():
                consumer.seek(place, position.offset)
        elif start == "end":
            await consumer.seek_to_end(*places)
        else:
            await consumer.seek_to_beginning(*places)
        self.opened[request["name"]] = consumer
        return {}

    async def poll(self, request):
        records, _next = await self.read(self.opened[request["name"]], request)
        return {"records": records}

    async def close(self, request):
        await self.opened.pop(request["name"]).stop()
        return {}

    async def read(self, consumer, request):
        records, after = [], {}
        loop = asyncio.get_running_loop()
        deadline = loop.time() + request["withinMs"] / 1000
        while len(records) < request["count"] and loop.time() < deadline:
            missing = request["count"] - len(records)
            batches = await consumer.getmany(timeout_ms=200, max_records=missing)
            for place, messages in batches.items():
                records += [self.record(message) for message in messages]
                after[place] = messages[-1].offset + 1
        return records, after

    @staticmethod
    def record(message):
        return {
            "topic": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            "timestamp": message.timestamp,
            "timestampType": TIME_TYPES.get(message.timestamp_type, "none"),
            "key": to_hex(message.key),
            "value": to_hex(message.value),
            "headers": [[name, to_hex(value)] for name, value in message.headers],
        }

    async def join(self, request):
        consumer = await self.consumer(
            request,
            group_id=request["group"],
            group_instance_id=request.get("instanceId"),
            auto_offset_reset="earliest",
            start=False,
        )
        forward_to = request.get("forwardTo")
        producer = None
        if forward_to is not None:
            producer = await self.producer({**request, "codec": "none", "acks": -1, "idempotent": False})
        member = Member(consumer, producer, forward_to)
        self.members[request["name"]] = member
        consumer.subscribe([request["topic"]], listener=member)

        async def live():
            await consumer.start()
            await member.run()

        member.task = asyncio.create_task(live())
        return {}

    async def assigned(self, request):
        return {"partitions": self.members[request["name"]].partitions}

    async def received(self, request):
        return {"places": self.members[request["name"]].places}

    async def leave(self, request):
        await self.members[request["name"]].leave()
        return {}

    async def consume_group(self, request):
        consumer = await self.consumer(
            request, group_id=request["group"], auto_offset_reset="earliest", start=False
        )
        consumer.subscribe([request["topic"]])
        await consumer.start()
        records, after = await self.read(consumer, request)
        await consumer.commit(after)
        await consumer.stop()
        return {"records": records}

    async def commit(self, request):
        consumer = await self.consumer(request, group_id=request["group"])
        offsets = {
            TopicPartition(request["topic"], partition): OffsetAndMetadata(offset, metadata)
            for partition, offset, metadata in request["offsets"]
        }
        consumer.assign(list(offsets))
        await consumer.commit(offsets)
        await consumer.stop()
        return {}

    async def committed(self, request):
        admin = await self.admin(request)
        found = await admin.list_consumer_group_offsets(request["group"])
        if not found:
            # The client hides the error of the whole answer, which a coordinator that loads sends.
            raise Named("COORDINATOR_NOT_AVAILABLE")
        rows = [[p.partition, row.offset, row.metadata] for p, row in found.items()]
        return {"offsets": sorted(rows)}

    async def stop(self):
        for member in self.members.values():
            await member.leave()
        for producer in self.producers.values():
            await producer.stop()
        if self.shared_admin is not None:
            await self.shared_admin.close()

    async def admin(self, request):
        if self.shared_admin is None:
            self.shared_admin = AIOKafkaAdminClient(bootstrap_servers=request["bootstrap"])
            await self.shared_admin.start()
        return self.shared_admin

    async def producer(self, request):
        key = (request["codec"], request["acks"], request["idempotent"])
        if key not in self.producers:
            self.producers[key] = AIOKafkaProducer(
                bootstrap_servers=request["bootstrap"],
                compression_type=None if request["codec"] == "none" else request["codec"],
                acks=request["acks"],
                enable_idempotence=request["idempotent"],
                linger_ms=5,
            )
            await self.producers[key].start()
        return self.producers[key]

    @staticmethod
    async def consumer(request, start=True, group_id=None, **config):
        consumer = AIOKafkaConsumer(
            bootstrap_servers=request["bootstrap"],
            group_id=group_id,
            enable_auto_commit=False,
            heartbeat_interval_ms=500,
            session_timeout_ms=10000,
            fetch_max_wait_ms=100,
            metadata_max_age_ms=5000,
            **config,
        )
        if start:
            await consumer.start()
        return consumer


async def answer(client, request):
    try:
        operation = getattr(client, request["op"].replace("-", "_"))
        reply(request, {"ok": await operation(request)})
    except Named as error:
        reply(request, {"error": str(error)})
    except KafkaError as error:
        reply(request, {"error": getattr(error, "message", None) or type(error).__name__})
    except Exception as error:
        fault(request, error)


async def main():
    client = Client()
    lines = asyncio.StreamReader(limit=1 << 26)
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    tasks = set()
    while line := await lines.readline():
        task = asyncio.create_task(answer(client, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await client.stop()


asyncio.run(main())
