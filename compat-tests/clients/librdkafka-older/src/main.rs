//! librdkafka 1.x: connects, produces one record and reads it, and prints its version.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::util::get_rdkafka_version;
use rdkafka::{Offset, TopicPartitionList};

const WAIT: Duration = Duration::from_secs(40);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (bootstrap, topic) = (words.next().ok_or("an address")?, words.next().ok_or("a topic")?);
    let (_, version) = get_rdkafka_version();
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &bootstrap)
        .set("group.id", "older")
        .set("compression.type", "gzip");
    config.set("auto.offset.reset", "earliest");

    let producer: BaseProducer = config.create()?;
    producer.send(BaseRecord::<(), _>::to(&topic).payload(&version)).map_err(|(error, _)| error)?;
    producer.flush(WAIT)?;

    let consumer: BaseConsumer = config.create()?;
    let mut places = TopicPartitionList::new();
    places.add_partition_offset(&topic, 0, Offset::Beginning)?;
    consumer.assign(&places)?;
    let read = consumer.poll(WAIT).ok_or("nothing came")??;
    let value = std::str::from_utf8(read.payload().ok_or("no value")?)?;
    println!("{{\"offset\":{},\"read\":[\"{value}\"]}}", read.offset());
    Ok(())
}
