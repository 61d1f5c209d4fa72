// An older franz-go: connects, produces one record and reads it, and prints its version.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	bootstrap, topic := os.Args[1], os.Args[2]
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic), kgo.AllowAutoTopicCreation())
	check(err)
	defer client.Close()
	check(client.Ping(ctx))
	record := &kgo.Record{Topic: topic, Value: []byte(version())}
	check(client.ProduceSync(ctx, record).FirstErr())
	fetches := client.PollFetches(ctx)
	check(fetches.Err())
	values := []string{}
	fetches.EachRecord(func(read *kgo.Record) { values = append(values, string(read.Value)) })
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"offset": record.Offset, "read": values}))
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/twmb/franz-go" {
			return module.Version
		}
	}
	return "?"
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
