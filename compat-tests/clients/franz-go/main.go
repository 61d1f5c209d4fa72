// franz-go behind the runner's requests.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

type header struct {
	name  string
	value *string
}

func (h *header) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&h.name, &h.value})
}

type inputRecord struct {
	Partition *int32   `json:"partition"`
	Key       *string  `json:"key"`
	Value     *string  `json:"value"`
	Headers   []header `json:"headers"`
	Timestamp *int64   `json:"timestamp"`
}

type request struct {
	ID         int                `json:"id"`
	Op         string             `json:"op"`
	Bootstrap  string             `json:"bootstrap"`
	Name       string             `json:"name"`
	Topic      string             `json:"topic"`
	Topics     []string           `json:"topics"`
	Group      string             `json:"group"`
	Partition  int32              `json:"partition"`
	Partitions int32              `json:"partitions"`
	Configs    map[string]*string `json:"configs"`
	Codec      string             `json:"codec"`
	Acks       int                `json:"acks"`
	Idempotent bool               `json:"idempotent"`
	Records    []inputRecord      `json:"records"`
	At         json.RawMessage    `json:"at"`
	From       json.RawMessage    `json:"from"`
	Offset     int64              `json:"offset"`
	Count      int                `json:"count"`
	WithinMs   int                `json:"withinMs"`
	ForwardTo  string             `json:"forwardTo"`
	InstanceID string             `json:"instanceId"`
	Offsets    [][]any            `json:"offsets"`
}

type object map[string]any

// named is an error that the client reported by Kafka's name: an observation.
type named string

func (n named) Error() string { return string(n) }

type adapter struct {
	admin     *kgo.Client
	producers map[string]*kgo.Client
	opened    map[string]*kgo.Client
	members   map[string]*member
}

func main() {
	a := &adapter{producers: map[string]*kgo.Client{}, opened: map[string]*kgo.Client{}, members: map[string]*member{}}
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var r request
		reply := object{}
		if err := json.Unmarshal(line, &r); err != nil {
			reply["fault"] = err.Error()
		} else if ok, err := a.run(&r); err != nil {
			reply = refusal(err)
		} else {
			reply["ok"] = ok
		}
		reply["id"] = r.ID
		_ = answers.Encode(reply)
	}
	a.stop()
}

func refusal(err error) object {
	var kafka *kerr.Error
	var own named
	if errors.As(err, &kafka) {
		return object{"error": kafka.Message}
	}
	if errors.As(err, &own) {
		return object{"error": string(own)}
	}
	return object{"fault": err.Error()}
}

func (a *adapter) run(r *request) (object, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	operations := map[string]func(context.Context, *request) (object, error){
		"hello": a.hello, "brokers": a.brokers, "create": a.create, "delete": a.remove,
		"partitions": a.describe, "produce": a.produce, "offset": a.offset, "fetch-at": a.fetchAt,
		"open": a.open, "poll": a.poll, "close": a.close, "join": a.join, "assigned": a.assigned,
		"received": a.received, "leave": a.leave, "consume-group": a.consumeGroup,
		"commit": a.commit, "committed": a.committed,
	}
	operation, found := operations[r.Op]
	if !found {
		return nil, fmt.Errorf("no operation %s", r.Op)
	}
	return operation(ctx, r)
}

func (a *adapter) hello(_ context.Context, r *request) (object, error) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == "github.com/twmb/franz-go" {
				version = dependency.Version
			}
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(r.Bootstrap))
	a.admin = client
	return object{
		"version": version,
		"codecs":  []string{"none", "gzip", "snappy", "lz4", "zstd"},
		"features": []string{"timestamps", "headers", "null-headers", "null-records", "binary", "admin", "report-time", "older-versions",
			"offset-lookup", "errors", "idempotence", "commit", "committed", "chained-groups", "delete",
			"static-members", "order"},
	}, err
}

func (a *adapter) adm() *kadm.Client { return kadm.NewClient(a.admin) }

func (a *adapter) brokers(ctx context.Context, _ *request) (object, error) {
	metadata, err := a.adm().BrokerMetadata(ctx)
	return object{"ids": metadata.Brokers.NodeIDs(), "controller": metadata.Controller}, err
}

func (a *adapter) create(ctx context.Context, r *request) (object, error) {
	answer, err := a.adm().CreateTopic(ctx, r.Partitions, 1, r.Configs, r.Topic)
	if err == nil {
		err = answer.Err
	}
	return object{}, err
}

func (a *adapter) remove(ctx context.Context, r *request) (object, error) {
	answer, err := a.adm().DeleteTopic(ctx, r.Topic)
	if err == nil {
		err = answer.Err
	}
	return object{}, err
}

func (a *adapter) describe(ctx context.Context, r *request) (object, error) {
	topics, err := a.adm().ListTopics(ctx, r.Topic)
	if err != nil {
		return nil, err
	}
	topic := topics[r.Topic]
	return object{"count": len(topic.Partitions)}, topic.Err
}

func (a *adapter) produce(ctx context.Context, r *request) (object, error) {
	client, err := a.producer(r)
	if err != nil {
		return nil, err
	}
	var records []*kgo.Record
	for _, row := range r.Records {
		record := &kgo.Record{Topic: r.Topic, Key: fromHex(row.Key), Value: fromHex(row.Value), Partition: -1}
		if row.Partition != nil {
			record.Partition = *row.Partition
		}
		if row.Timestamp != nil {
			record.Timestamp = time.UnixMilli(*row.Timestamp)
		}
		for _, h := range row.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.name, Value: fromHex(h.value)})
		}
		records = append(records, record)
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return nil, err
	}
	results, times := []any{}, []int64{}
	for _, record := range records {
		results = append(results, []any{record.Partition, record.Offset})
		times = append(times, record.Timestamp.UnixMilli())
	}
	return object{"results": results, "times": times}, nil
}

// Records that name a partition go there, others where the default partitioner puts them.
type partitioner struct{ byKey kgo.Partitioner }

type topicPartitioner struct{ byKey kgo.TopicPartitioner }

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return topicPartitioner{p.byKey.ForTopic(topic)}
}

func (p topicPartitioner) RequiresConsistency(*kgo.Record) bool { return true }

func (p topicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.byKey.Partition(r, n)
}

func (a *adapter) producer(r *request) (*kgo.Client, error) {
	key := fmt.Sprint(r.Codec, r.Acks, r.Idempotent)
	if known := a.producers[key]; known != nil {
		return known, nil
	}
	codecs := map[string]kgo.CompressionCodec{"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	acks := map[int]kgo.Acks{0: kgo.NoAck(), 1: kgo.LeaderAck(), -1: kgo.AllISRAcks()}
	options := []kgo.Opt{
		kgo.SeedBrokers(r.Bootstrap), kgo.AllowAutoTopicCreation(), kgo.RequiredAcks(acks[r.Acks]),
		kgo.ProducerBatchCompression(codecs[r.Codec]), kgo.RecordPartitioner(partitioner{kgo.StickyKeyPartitioner(nil)}),
	}
	if !r.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	a.producers[key] = client
	return client, err
}

func (a *adapter) offset(ctx context.Context, r *request) (object, error) {
	var at any
	if err := json.Unmarshal(r.At, &at); err != nil {
		return nil, err
	}
	var listed kadm.ListedOffsets
	var err error
	switch v := at.(type) {
	case float64:
		// The raw answer: the client's own look-up falls back to the end offset.
		listed, err = a.adm().ListOffsetsAfterMilli(ctx, int64(v), r.Topic)
	default:
		if v == "start" {
			listed, err = a.adm().ListStartOffsets(ctx, r.Topic)
		} else {
			listed, err = a.adm().ListEndOffsets(ctx, r.Topic)
		}
	}
	if err != nil {
		return nil, err
	}
	row, _ := listed.Lookup(r.Topic, r.Partition)
	return object{"offset": row.Offset, "timestamp": row.Timestamp}, row.Err
}

func (a *adapter) fetchAt(ctx context.Context, r *request) (object, error) {
	at := kgo.NewOffset().At(r.Offset)
	client, err := kgo.NewClient(kgo.SeedBrokers(r.Bootstrap), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.Topic: {r.Partition: at}}))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	fetches := client.PollFetches(limited)
	if err := fetches.Err0(); err != nil {
		return nil, err
	}
	for _, failure := range fetches.Errors() {
		return nil, failure.Err
	}
	return nil, named("no error")
}

func (a *adapter) open(ctx context.Context, r *request) (object, error) {
	var from any
	if err := json.Unmarshal(r.From, &from); err != nil {
		return nil, err
	}
	var listed kadm.ListedOffsets
	var err error
	if start, isTime := from.(map[string]any); isTime {
		listed, err = a.adm().ListOffsetsAfterMilli(ctx, int64(start["timestamp"].(float64)), r.Topics...)
	} else if from == "start" {
		listed, err = a.adm().ListStartOffsets(ctx, r.Topics...)
	} else {
		listed, err = a.adm().ListEndOffsets(ctx, r.Topics...)
	}
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(r.Bootstrap), kgo.ConsumePartitions(listed.KOffsets()))
	a.opened[r.Name] = client
	return object{}, err
}

func (a *adapter) poll(_ context.Context, r *request) (object, error) {
	return object{"records": rows(read(a.opened[r.Name], r))}, nil
}

func (a *adapter) close(_ context.Context, r *request) (object, error) {
	a.opened[r.Name].Close()
	delete(a.opened, r.Name)
	return object{}, nil
}

func read(client *kgo.Client, r *request) []*kgo.Record {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.WithinMs)*time.Millisecond)
	defer cancel()
	var records []*kgo.Record
	for len(records) < r.Count && ctx.Err() == nil {
		fetches := client.PollRecords(ctx, r.Count-len(records))
		records = append(records, fetches.Records()...)
	}
	return records
}

func rows(records []*kgo.Record) []object {
	types := map[int8]string{0: "CreateTime", 1: "LogAppendTime"}
	result := []object{}
	for _, record := range records {
		headers := [][]any{}
		for _, h := range record.Headers {
			headers = append(headers, []any{h.Key, toHex(h.Value)})
		}
		result = append(result, object{"topic": record.Topic, "partition": record.Partition, "offset": record.Offset,
			"timestamp": record.Timestamp.UnixMilli(), "timestampType": types[record.Attrs.TimestampType()],
			"key": toHex(record.Key), "value": toHex(record.Value), "headers": headers})
	}
	return result
}

func (a *adapter) consumeGroup(ctx context.Context, r *request) (object, error) {
	client, err := kgo.NewClient(append(groupOptions(r), kgo.DisableAutoCommit())...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	records := read(client, r)
	return object{"records": rows(records)}, client.CommitRecords(ctx, records...)
}

func (a *adapter) commit(ctx context.Context, r *request) (object, error) {
	offsets := kadm.Offsets{}
	for _, row := range r.Offsets {
		offsets.Add(kadm.Offset{Topic: r.Topic, Partition: int32(row[0].(float64)), At: int64(row[1].(float64)),
			LeaderEpoch: -1, Metadata: row[2].(string)})
	}
	return object{}, a.adm().CommitAllOffsets(ctx, r.Group, offsets)
}

func (a *adapter) committed(ctx context.Context, r *request) (object, error) {
	found, err := a.adm().FetchOffsets(ctx, r.Group)
	if err != nil {
		return nil, err
	}
	offsets := [][]any{}
	for _, row := range found.Sorted() {
		metadata := row.Metadata
		if strings.HasPrefix(metadata, "kgo-") {
			metadata = "the member's id" // It differs from run to run.
		}
		offsets = append(offsets, []any{row.Partition, row.At, metadata})
	}
	return object{"offsets": offsets}, nil
}

func groupOptions(r *request) []kgo.Opt {
	options := []kgo.Opt{kgo.SeedBrokers(r.Bootstrap), kgo.ConsumerGroup(r.Group), kgo.ConsumeTopics(r.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.SessionTimeout(10 * time.Second)}
	if r.InstanceID != "" {
		options = append(options, kgo.InstanceID(r.InstanceID))
	}
	return options
}

// member consumes in the background until it leaves, and forwards each record if it has a target.
type member struct {
	client *kgo.Client
	mutex  sync.Mutex
	owned  map[int32]bool
	places [][]int64
	cancel context.CancelFunc
	done   chan struct{}
}

func (a *adapter) join(_ context.Context, r *request) (object, error) {
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{owned: map[int32]bool{}, places: [][]int64{}, cancel: cancel, done: make(chan struct{})}
	take := func(owned bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, moved map[string][]int32) { m.moved(moved, owned) }
	}
	client, err := kgo.NewClient(append(groupOptions(r), kgo.OnPartitionsAssigned(take(true)),
		kgo.OnPartitionsRevoked(take(false)), kgo.OnPartitionsLost(take(false)))...)
	if err != nil {
		cancel()
		return nil, err
	}
	m.client = client
	a.members[r.Name] = m
	go m.consume(ctx, r.ForwardTo)
	return object{}, nil
}

func (m *member) moved(partitions map[string][]int32, owned bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, list := range partitions {
		for _, partition := range list {
			if owned {
				m.owned[partition] = true
			} else {
				delete(m.owned, partition)
			}
		}
	}
}

func (m *member) consume(ctx context.Context, forwardTo string) {
	defer close(m.done)
	for ctx.Err() == nil {
		for _, record := range m.client.PollFetches(ctx).Records() {
			m.mutex.Lock()
			m.places = append(m.places, []int64{int64(record.Partition), record.Offset})
			m.mutex.Unlock()
			if forwardTo != "" {
				m.client.Produce(ctx, &kgo.Record{Topic: forwardTo, Key: record.Key, Value: record.Value}, nil)
			}
		}
	}
	_ = m.client.Flush(context.Background())
	m.client.Close()
}

func (a *adapter) assigned(_ context.Context, r *request) (object, error) {
	m := a.members[r.Name]
	m.mutex.Lock()
	defer m.mutex.Unlock()
	partitions := []int{}
	for partition := range m.owned {
		partitions = append(partitions, int(partition))
	}
	sort.Ints(partitions)
	return object{"partitions": partitions}, nil
}

func (a *adapter) received(_ context.Context, r *request) (object, error) {
	m := a.members[r.Name]
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return object{"places": m.places}, nil
}

func (a *adapter) leave(_ context.Context, r *request) (object, error) {
	m := a.members[r.Name]
	m.cancel()
	<-m.done
	return object{}, nil
}

func (a *adapter) stop() {
	for _, m := range a.members {
		m.cancel()
		<-m.done
	}
	for _, client := range a.producers {
		client.Close()
	}
	for _, client := range a.opened {
		client.Close()
	}
	a.admin.Close()
}

func fromHex(text *string) []byte {
	if text == nil {
		return nil
	}
	bytes, _ := hex.DecodeString(*text)
	return append([]byte{}, bytes...)
}

func toHex(bytes []byte) any {
	if bytes == nil {
		return nil
	}
	return hex.EncodeToString(bytes)
}
