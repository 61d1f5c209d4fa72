// Generated from src/kafka-protocol/definitions/ by `npm run generate`; never edited.

use crate::request_items::{Field, RequestShape, Shape, field};

/// In the order of their keys. What tagged fields hold is not described: none holds an array.
pub const REQUESTS: &[RequestShape] = &[
    RequestShape { api_key: 2, flexible_from: 6, fields: LIST_OFFSETS_REQUEST },
    RequestShape { api_key: 3, flexible_from: 9, fields: METADATA_REQUEST },
    RequestShape { api_key: 8, flexible_from: 8, fields: OFFSET_COMMIT_REQUEST },
    RequestShape { api_key: 9, flexible_from: 6, fields: OFFSET_FETCH_REQUEST },
    RequestShape { api_key: 10, flexible_from: 3, fields: FIND_COORDINATOR_REQUEST },
    RequestShape { api_key: 11, flexible_from: 6, fields: JOIN_GROUP_REQUEST },
    RequestShape { api_key: 12, flexible_from: 4, fields: HEARTBEAT_REQUEST },
    RequestShape { api_key: 13, flexible_from: 4, fields: LEAVE_GROUP_REQUEST },
    RequestShape { api_key: 14, flexible_from: 4, fields: SYNC_GROUP_REQUEST },
    RequestShape { api_key: 15, flexible_from: 5, fields: DESCRIBE_GROUPS_REQUEST },
    RequestShape { api_key: 16, flexible_from: 3, fields: LIST_GROUPS_REQUEST },
    RequestShape { api_key: 17, flexible_from: i16::MAX, fields: SASL_HANDSHAKE_REQUEST },
    RequestShape { api_key: 18, flexible_from: 3, fields: API_VERSIONS_REQUEST },
    RequestShape { api_key: 19, flexible_from: 5, fields: CREATE_TOPICS_REQUEST },
    RequestShape { api_key: 20, flexible_from: 4, fields: DELETE_TOPICS_REQUEST },
    RequestShape { api_key: 21, flexible_from: 2, fields: DELETE_RECORDS_REQUEST },
    RequestShape { api_key: 22, flexible_from: 2, fields: INIT_PRODUCER_ID_REQUEST },
    RequestShape { api_key: 23, flexible_from: 4, fields: OFFSET_FOR_LEADER_EPOCH_REQUEST },
    RequestShape { api_key: 32, flexible_from: 4, fields: DESCRIBE_CONFIGS_REQUEST },
    RequestShape { api_key: 36, flexible_from: 2, fields: SASL_AUTHENTICATE_REQUEST },
    RequestShape { api_key: 42, flexible_from: 2, fields: DELETE_GROUPS_REQUEST },
    RequestShape { api_key: 60, flexible_from: 0, fields: DESCRIBE_CLUSTER_REQUEST },
    RequestShape { api_key: 75, flexible_from: 0, fields: DESCRIBE_TOPIC_PARTITIONS_REQUEST },
];

const LIST_OFFSETS_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Fixed(4)), // replicaId
    field(2, i16::MAX, Shape::Fixed(1)), // isolationLevel
    field(0, i16::MAX, Shape::Array(&Shape::Struct(LIST_OFFSETS_REQUEST_LIST_OFFSETS_TOPIC))), // topics
    field(10, i16::MAX, Shape::Fixed(4)), // timeoutMs
];

const LIST_OFFSETS_REQUEST_LIST_OFFSETS_TOPIC: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // name
    field(0, i16::MAX, Shape::Array(&Shape::Struct(LIST_OFFSETS_REQUEST_LIST_OFFSETS_PARTITION))), // partitions
];

const LIST_OFFSETS_REQUEST_LIST_OFFSETS_PARTITION: &[Field] = &[
    field(0, i16::MAX, Shape::Fixed(4)), // partitionIndex
    field(4, i16::MAX, Shape::Fixed(4)), // currentLeaderEpoch
    field(0, i16::MAX, Shape::Fixed(8)), // timestamp
];

const METADATA_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Array(&Shape::Struct(METADATA_REQUEST_METADATA_REQUEST_TOPIC))), // topics
    field(4, i16::MAX, Shape::Fixed(1)), // allowAutoTopicCreation
    field(8, 10, Shape::Fixed(1)), // includeClusterAuthorizedOperations
    field(8, i16::MAX, Shape::Fixed(1)), // includeTopicAuthorizedOperations
];

const METADATA_REQUEST_METADATA_REQUEST_TOPIC: &[Field] = &[
    field(10, i16::MAX, Shape::Fixed(16)), // topicId
    field(0, i16::MAX, Shape::Text), // name
];

const OFFSET_COMMIT_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // groupId
    field(0, i16::MAX, Shape::Fixed(4)), // generationIdOrMemberEpoch
    field(0, i16::MAX, Shape::Text), // memberId
    field(7, i16::MAX, Shape::Text), // groupInstanceId
    field(2, 4, Shape::Fixed(8)), // retentionTimeMs
    field(0, i16::MAX, Shape::Array(&Shape::Struct(OFFSET_COMMIT_REQUEST_OFFSET_COMMIT_REQUEST_TOPIC))), // topics
];

const OFFSET_COMMIT_REQUEST_OFFSET_COMMIT_REQUEST_TOPIC: &[Field] = &[
    field(2, 9, Shape::Text), // name
    field(10, i16::MAX, Shape::Fixed(16)), // topicId
    field(0, i16::MAX, Shape::Array(&Shape::Struct(OFFSET_COMMIT_REQUEST_OFFSET_COMMIT_REQUEST_PARTITION))), // partitions
];

const OFFSET_COMMIT_REQUEST_OFFSET_COMMIT_REQUEST_PARTITION: &[Field] = &[
    field(0, i16::MAX, Shape::Fixed(4)), // partitionIndex
    field(0, i16::MAX, Shape::Fixed(8)), // committedOffset
    field(6, i16::MAX, Shape::Fixed(4)), // committedLeaderEpoch
    field(0, i16::MAX, Shape::Text), // committedMetadata
];

const OFFSET_FETCH_REQUEST: &[Field] = &[
    field(1, 7, Shape::Text), // groupId
    field(1, 7, Shape::Array(&Shape::Struct(OFFSET_FETCH_REQUEST_OFFSET_FETCH_REQUEST_TOPIC))), // topics
    field(8, i16::MAX, Shape::Array(&Shape::Struct(OFFSET_FETCH_REQUEST_OFFSET_FETCH_REQUEST_GROUP))), // groups
    field(7, i16::MAX, Shape::Fixed(1)), // requireStable
];

const OFFSET_FETCH_REQUEST_OFFSET_FETCH_REQUEST_TOPIC: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // name
    field(0, i16::MAX, Shape::Array(&Shape::Fixed(4))), // partitionIndexes
];

const OFFSET_FETCH_REQUEST_OFFSET_FETCH_REQUEST_GROUP: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // groupId
    field(9, i16::MAX, Shape::Text), // memberId
    field(9, i16::MAX, Shape::Fixed(4)), // memberEpoch
    field(0, i16::MAX, Shape::Array(&Shape::Struct(OFFSET_FETCH_REQUEST_OFFSET_FETCH_REQUEST_TOPICS))), // topics
];

const OFFSET_FETCH_REQUEST_OFFSET_FETCH_REQUEST_TOPICS: &[Field] = &[
    field(8, 9, Shape::Text), // name
    field(10, i16::MAX, Shape::Fixed(16)), // topicId
    field(0, i16::MAX, Shape::Array(&Shape::Fixed(4))), // partitionIndexes
];

const FIND_COORDINATOR_REQUEST: &[Field] = &[
    field(0, 3, Shape::Text), // key
    field(1, i16::MAX, Shape::Fixed(1)), // keyType
    field(4, i16::MAX, Shape::Array(&Shape::Text)), // coordinatorKeys
];

const JOIN_GROUP_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // groupId
    field(0, i16::MAX, Shape::Fixed(4)), // sessionTimeoutMs
    field(1, i16::MAX, Shape::Fixed(4)), // rebalanceTimeoutMs
    field(0, i16::MAX, Shape::Text), // memberId
    field(5, i16::MAX, Shape::Text), // groupInstanceId
    field(0, i16::MAX, Shape::Text), // protocolType
    field(0, i16::MAX, Shape::Array(&Shape::Struct(JOIN_GROUP_REQUEST_JOIN_GROUP_REQUEST_PROTOCOL))), // protocols
    field(8, i16::MAX, Shape::Text), // reason
];

const JOIN_GROUP_REQUEST_JOIN_GROUP_REQUEST_PROTOCOL: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // name
    field(0, i16::MAX, Shape::Bytes), // metadata
];

const HEARTBEAT_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // groupId
    field(0, i16::MAX, Shape::Fixed(4)), // generationId
    field(0, i16::MAX, Shape::Text), // memberId
    field(3, i16::MAX, Shape::Text), // groupInstanceId
];

const LEAVE_GROUP_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // groupId
    field(0, 2, Shape::Text), // memberId
    field(3, i16::MAX, Shape::Array(&Shape::Struct(LEAVE_GROUP_REQUEST_MEMBER_IDENTITY))), // members
];

const LEAVE_GROUP_REQUEST_MEMBER_IDENTITY: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // memberId
    field(0, i16::MAX, Shape::Text), // groupInstanceId
    field(5, i16::MAX, Shape::Text), // reason
];

const SYNC_GROUP_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // groupId
    field(0, i16::MAX, Shape::Fixed(4)), // generationId
    field(0, i16::MAX, Shape::Text), // memberId
    field(3, i16::MAX, Shape::Text), // groupInstanceId
    field(5, i16::MAX, Shape::Text), // protocolType
    field(5, i16::MAX, Shape::Text), // protocolName
    field(0, i16::MAX, Shape::Array(&Shape::Struct(SYNC_GROUP_REQUEST_SYNC_GROUP_REQUEST_ASSIGNMENT))), // assignments
];

const SYNC_GROUP_REQUEST_SYNC_GROUP_REQUEST_ASSIGNMENT: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // memberId
    field(0, i16::MAX, Shape::Bytes), // assignment
];

const DESCRIBE_GROUPS_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Array(&Shape::Text)), // groups
    field(3, i16::MAX, Shape::Fixed(1)), // includeAuthorizedOperations
];

const LIST_GROUPS_REQUEST: &[Field] = &[
    field(4, i16::MAX, Shape::Array(&Shape::Text)), // statesFilter
    field(5, i16::MAX, Shape::Array(&Shape::Text)), // typesFilter
];

const SASL_HANDSHAKE_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // mechanism
];

const API_VERSIONS_REQUEST: &[Field] = &[
    field(3, i16::MAX, Shape::Text), // clientSoftwareName
    field(3, i16::MAX, Shape::Text), // clientSoftwareVersion
    field(5, i16::MAX, Shape::Text), // clusterId
    field(5, i16::MAX, Shape::Fixed(4)), // nodeId
];

const CREATE_TOPICS_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Array(&Shape::Struct(CREATE_TOPICS_REQUEST_CREATABLE_TOPIC))), // topics
    field(0, i16::MAX, Shape::Fixed(4)), // timeoutMs
    field(0, i16::MAX, Shape::Fixed(1)), // validateOnly
];

const CREATE_TOPICS_REQUEST_CREATABLE_TOPIC: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // name
    field(0, i16::MAX, Shape::Fixed(4)), // numPartitions
    field(0, i16::MAX, Shape::Fixed(2)), // replicationFactor
    field(0, i16::MAX, Shape::Array(&Shape::Struct(CREATE_TOPICS_REQUEST_CREATABLE_REPLICA_ASSIGNMENT))), // assignments
    field(0, i16::MAX, Shape::Array(&Shape::Struct(CREATE_TOPICS_REQUEST_CREATABLE_TOPIC_CONFIG))), // configs
];

const CREATE_TOPICS_REQUEST_CREATABLE_REPLICA_ASSIGNMENT: &[Field] = &[
    field(0, i16::MAX, Shape::Fixed(4)), // partitionIndex
    field(0, i16::MAX, Shape::Array(&Shape::Fixed(4))), // brokerIds
];

const CREATE_TOPICS_REQUEST_CREATABLE_TOPIC_CONFIG: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // name
    field(0, i16::MAX, Shape::Text), // value
];

const DELETE_TOPICS_REQUEST: &[Field] = &[
    field(6, i16::MAX, Shape::Array(&Shape::Struct(DELETE_TOPICS_REQUEST_DELETE_TOPIC_STATE))), // topics
    field(1, 5, Shape::Array(&Shape::Text)), // topicNames
    field(0, i16::MAX, Shape::Fixed(4)), // timeoutMs
];

const DELETE_TOPICS_REQUEST_DELETE_TOPIC_STATE: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // name
    field(0, i16::MAX, Shape::Fixed(16)), // topicId
];

const DELETE_RECORDS_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Array(&Shape::Struct(DELETE_RECORDS_REQUEST_DELETE_RECORDS_TOPIC))), // topics
    field(0, i16::MAX, Shape::Fixed(4)), // timeoutMs
];

const DELETE_RECORDS_REQUEST_DELETE_RECORDS_TOPIC: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // name
    field(0, i16::MAX, Shape::Array(&Shape::Struct(DELETE_RECORDS_REQUEST_DELETE_RECORDS_PARTITION))), // partitions
];

const DELETE_RECORDS_REQUEST_DELETE_RECORDS_PARTITION: &[Field] = &[
    field(0, i16::MAX, Shape::Fixed(4)), // partitionIndex
    field(0, i16::MAX, Shape::Fixed(8)), // offset
];

const INIT_PRODUCER_ID_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // transactionalId
    field(0, i16::MAX, Shape::Fixed(4)), // transactionTimeoutMs
    field(3, i16::MAX, Shape::Fixed(8)), // producerId
    field(3, i16::MAX, Shape::Fixed(2)), // producerEpoch
];

const OFFSET_FOR_LEADER_EPOCH_REQUEST: &[Field] = &[
    field(3, i16::MAX, Shape::Fixed(4)), // replicaId
    field(0, i16::MAX, Shape::Array(&Shape::Struct(OFFSET_FOR_LEADER_EPOCH_REQUEST_OFFSET_FOR_LEADER_TOPIC))), // topics
];

const OFFSET_FOR_LEADER_EPOCH_REQUEST_OFFSET_FOR_LEADER_TOPIC: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // topic
    field(0, i16::MAX, Shape::Array(&Shape::Struct(OFFSET_FOR_LEADER_EPOCH_REQUEST_OFFSET_FOR_LEADER_PARTITION))), // partitions
];

const OFFSET_FOR_LEADER_EPOCH_REQUEST_OFFSET_FOR_LEADER_PARTITION: &[Field] = &[
    field(0, i16::MAX, Shape::Fixed(4)), // partition
    field(0, i16::MAX, Shape::Fixed(4)), // currentLeaderEpoch
    field(0, i16::MAX, Shape::Fixed(4)), // leaderEpoch
];

const DESCRIBE_CONFIGS_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Array(&Shape::Struct(DESCRIBE_CONFIGS_REQUEST_DESCRIBE_CONFIGS_RESOURCE))), // resources
    field(0, i16::MAX, Shape::Fixed(1)), // includeSynonyms
    field(3, i16::MAX, Shape::Fixed(1)), // includeDocumentation
];

const DESCRIBE_CONFIGS_REQUEST_DESCRIBE_CONFIGS_RESOURCE: &[Field] = &[
    field(0, i16::MAX, Shape::Fixed(1)), // resourceType
    field(0, i16::MAX, Shape::Text), // resourceName
    field(0, i16::MAX, Shape::Array(&Shape::Text)), // configurationKeys
];

const SASL_AUTHENTICATE_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Bytes), // authBytes
];

const DELETE_GROUPS_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Array(&Shape::Text)), // groupsNames
];

const DESCRIBE_CLUSTER_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Fixed(1)), // includeClusterAuthorizedOperations
    field(1, i16::MAX, Shape::Fixed(1)), // endpointType
    field(2, i16::MAX, Shape::Fixed(1)), // includeFencedBrokers
];

const DESCRIBE_TOPIC_PARTITIONS_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Array(&Shape::Struct(DESCRIBE_TOPIC_PARTITIONS_REQUEST_TOPIC_REQUEST))), // topics
    field(0, i16::MAX, Shape::Fixed(4)), // responsePartitionLimit
    field(0, i16::MAX, Shape::Nullable(0, i16::MAX, DESCRIBE_TOPIC_PARTITIONS_REQUEST_CURSOR)), // cursor
];

const DESCRIBE_TOPIC_PARTITIONS_REQUEST_TOPIC_REQUEST: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // name
];

const DESCRIBE_TOPIC_PARTITIONS_REQUEST_CURSOR: &[Field] = &[
    field(0, i16::MAX, Shape::Text), // topicName
    field(0, i16::MAX, Shape::Fixed(4)), // partitionIndex
];
