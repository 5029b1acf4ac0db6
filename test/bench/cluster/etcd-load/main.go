// Command etcd-load puts values into etcd from a number of clients at once, for a number of seconds, and prints one line of
// JSON: how many puts were answered, the seconds, and the latency of each request in µs. It asks the leader alone, as the load
// on the core does.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

type options struct {
	endpoints, certificate, key, prefix string
	clients, perTransaction, valueBytes int
	perConnection                       int
	duration                            time.Duration
}

type result struct {
	Done      int     `json:"done"`
	Seconds   float64 `json:"seconds"`
	Latencies []int64 `json:"latenciesMicros"`
}

func main() {
	var o options
	flag.StringVar(&o.endpoints, "endpoints", "", "URLs, separated by commas")
	flag.StringVar(&o.certificate, "certificate", "", "PEM file of the client's certificate, which is also trusted")
	flag.StringVar(&o.key, "key", "", "PEM file of its key")
	flag.StringVar(&o.prefix, "prefix", "", "of every key, so that each run writes new ones")
	flag.IntVar(&o.clients, "clients", 64, "requests on their way at once")
	flag.IntVar(&o.perTransaction, "per-transaction", 1, "puts in a transaction; 1: plain puts")
	flag.IntVar(&o.valueBytes, "value-bytes", 128, "bytes of a value")
	flag.IntVar(&o.perConnection, "per-connection", 10, "clients that share a connection")
	flag.DurationVar(&o.duration, "for", 5*time.Second, "how long")
	flag.Parse()
	measured, err := load(o)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(measured)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func load(o options) (result, error) {
	config, err := tlsOf(o.certificate, o.key)
	if err != nil {
		return result{}, err
	}
	leader, err := leaderOf(strings.Split(o.endpoints, ","), config)
	if err != nil {
		return result{}, err
	}
	var connections []*clientv3.Client
	for range max(1, o.clients/o.perConnection) {
		connection, err := connect(leader, config)
		if err != nil {
			return result{}, err
		}
		defer connection.Close()
		connections = append(connections, connection)
	}
	begin := time.Now()
	end := begin.Add(o.duration)
	latencies := make([][]int64, o.clients)
	failures := make([]error, o.clients)
	var all sync.WaitGroup
	for n := range o.clients {
		all.Go(func() {
			latencies[n], failures[n] = loop(o, connections[n%len(connections)], n, end)
		})
	}
	all.Wait()
	measured := result{Seconds: time.Since(begin).Seconds()}
	for _, own := range latencies {
		measured.Latencies = append(measured.Latencies, own...)
	}
	measured.Done = len(measured.Latencies) * o.perTransaction
	return measured, errors.Join(failures...)
}

// loop sends one request after another until the end.
func loop(o options, client *clientv3.Client, number int, end time.Time) ([]int64, error) {
	var latencies []int64
	value := strings.Repeat("v", o.valueBytes)
	puts := make([]clientv3.Op, o.perTransaction)
	for count := 0; ; {
		sent := time.Now()
		if sent.After(end) {
			return latencies, nil
		}
		for i := range puts {
			count++
			puts[i] = clientv3.OpPut(fmt.Sprintf("%s-%04x-%010x", o.prefix, number, count), value)
		}
		var err error
		if len(puts) == 1 {
			_, err = client.Do(context.Background(), puts[0])
		} else {
			_, err = client.Txn(context.Background()).Then(puts...).Commit()
		}
		if err != nil {
			return latencies, err
		}
		latencies = append(latencies, time.Since(sent).Microseconds())
	}
}

func connect(endpoint string, config *tls.Config) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, TLS: config, DialTimeout: 10 * time.Second})
}

func leaderOf(endpoints []string, config *tls.Config) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, endpoint := range endpoints {
		client, err := connect(endpoint, config)
		if err != nil {
			return "", err
		}
		status, err := client.Status(ctx, endpoint)
		client.Close()
		if err != nil {
			return "", err
		}
		if status.Leader != 0 && status.Leader == status.Header.MemberId {
			return endpoint, nil
		}
	}
	return "", errors.New("none of the endpoints leads")
}

func tlsOf(certificateFile, keyFile string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(certificateFile)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate", certificateFile)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: trusted, MinVersion: tls.VersionTLS12}, nil
}
