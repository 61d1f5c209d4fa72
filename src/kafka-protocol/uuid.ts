/** The id of no topic, as Kafka writes ids. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';
