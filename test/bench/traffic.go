// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// batches are the numbers of records in a post. A Call Bridge mostly posts one
// to three, and up to fifty when it has fallen behind.
var batches = []int{1, 10, largestBatch}

const largestBatch = 50

func isBatch(n int) bool { return slices.Contains(batches, n) }

// connections is how many posts are under way at once. Each connection is a
// Call Bridge of its own, as indices ascend within a session.
const connections = 4

// traffic are the posts of one batch size: for each encoding and each connection the requests
// to go round in.
type traffic struct {
	batch   int
	records int // in one go round
	by      map[encoding][connections][]template
	// logs are the receiver's records of one round of the first connection.
	logs []plog.Logs
}

// encoding is how the records of a post are written.
type encoding int

const (
	cdrXML encoding = iota
	otlpJSON
	otlpProto
)

// wires says where posts of an encoding go.
var wires = [...]struct{ name, path, contentType string }{
	cdrXML:    {"XML", "/cdr", "text/xml"},
	otlpJSON:  {"OTLP JSON", "/v1/logs", "application/json"},
	otlpProto: {"OTLP protobuf", "/v1/logs", "application/x-protobuf"},
}

// newTraffic prepares all posts with batch records each.
func newTraffic(ctx context.Context, records [][]byte, batch int) (*traffic, error) {
	t := &traffic{batch: batch, records: len(records), by: make(map[encoding][connections][]template)}
	var bodies [connections][]template
	for c := range bodies {
		session, callBridge := laneNames(uint32(c))
		for chunk := range slices.Chunk(records, batch) {
			body, err := render(session, callBridge, chunk)
			if err != nil {
				return nil, err
			}
			bodies[c] = append(bodies[c], body)
		}
	}
	t.add(cdrXML, bodies)
	var err error
	if t.logs, err = capture(ctx, t, bodies[0]); err != nil {
		return nil, fmt.Errorf("convert the posts to OTLP: %w", err)
	}
	return t, t.addOTLP()
}

func (t *traffic) add(e encoding, bodies [connections][]template) {
	var requests [connections][]template
	for c, all := range bodies {
		for _, body := range all {
			requests[c] = append(requests[c], body.withHeader(wires[e].path, wires[e].contentType))
		}
	}
	t.by[e] = requests
}

// addOTLP adds the same log records as OTLP. There is nothing to fill in, so
// the connections share the requests.
func (t *traffic) addOTLP() error {
	var asJSON, asProto []template
	for _, logs := range t.logs {
		request := plogotlp.NewExportRequestFromLogs(logs)
		text, err := request.MarshalJSON()
		if err != nil {
			return fmt.Errorf("marshal as OTLP JSON: %w", err)
		}
		asJSON = append(asJSON, template{text: text})
		if text, err = request.MarshalProto(); err != nil {
			return fmt.Errorf("marshal as OTLP protobuf: %w", err)
		}
		asProto = append(asProto, template{text: text})
	}
	t.add(otlpJSON, [connections][]template{asJSON, asJSON, asJSON, asJSON})
	t.add(otlpProto, [connections][]template{asProto, asProto, asProto, asProto})
	return nil
}

// capture returns the cmscdr receiver's log records of the first connection's posts, one batch
// for each.
func capture(ctx context.Context, t *traffic, bodies []template) ([]plog.Logs, error) {
	sink := new(consumertest.LogsSink)
	address, err := loopback.Address()
	if err != nil {
		return nil, err
	}
	factory, config := cmscdr(address)
	parts, err := startReceiver(ctx, factory, config, sink, nil)
	if err != nil {
		return nil, err
	}
	if err := postOnce(ctx, address, t.by[cdrXML][0]); err != nil {
		return nil, err
	}
	if err := parts.Shutdown(ctx); err != nil {
		return nil, err
	}
	all := sink.AllLogs()
	if len(all) != len(bodies) {
		return nil, fmt.Errorf("%d posts came out as %d batches", len(bodies), len(all))
	}
	for i, logs := range all {
		if n := logs.LogRecordCount(); n != t.batch {
			return nil, fmt.Errorf("post %d of %d records came out as %d", i, t.batch, n)
		}
	}
	return all, nil
}

// postOnce posts each request once, in order.
func postOnce(ctx context.Context, address string, requests []template) error {
	conn, err := dial(ctx, address, &round{requests: requests})
	if err != nil {
		return err
	}
	defer conn.close()
	for range requests {
		if err := conn.post(); err != nil {
			return err
		}
	}
	return nil
}

// size returns the mean bytes of a record in an encoding, HTTP headers
// included.
func (t *traffic) size(e encoding) int {
	total := 0
	for _, request := range t.by[e][0] {
		total += len(request.text)
	}
	return total / t.records
}
