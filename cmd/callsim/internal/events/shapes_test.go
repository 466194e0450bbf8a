// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/cmd/callsim/internal/events"
	"github.com/legato-otel/legato/cmd/callsim/internal/eventstest"
	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// shapes collects the keys and types of frames, by kind of message and update.
func shapes(t *testing.T, into map[string]bool, text []byte) {
	t.Helper()
	var frame map[string]any
	require.NoError(t, json.Unmarshal(text, &frame))
	for name, body := range frame {
		inner, ok := body.(map[string]any)
		if !ok {
			into[fmt.Sprint(name, "=", body)] = true
			continue
		}
		where := name
		if kind, ok := inner["type"]; ok {
			where += " " + kind.(string)
		}
		addShapes(into, where, inner)
	}
}

func addShapes(into map[string]bool, where string, body map[string]any) {
	if kind, ok := body["updateType"].(string); ok {
		where += " " + kind
	}
	for key, value := range body {
		switch v := value.(type) {
		case map[string]any:
			addShapes(into, where+"."+key, v)
		case []any:
			into[fmt.Sprintf("%s.%s [] empty %t", where, key, len(v) == 0)] = true
			for _, x := range v {
				if entry, ok := x.(map[string]any); ok {
					addShapes(into, where+"."+key, entry)
				}
			}
		case string:
			if key == "status" || key == "state" || key == "lockState" || key == "type" {
				into[key+"="+v] = true
			}
			into[where+"."+key+" string"] = true
		default:
			into[fmt.Sprintf("%s.%s %T", where, key, v)] = true
		}
	}
}

// TestEveryShapeOfTheFixturesIsMade: a run with odd things in it has every key with every
// type that the fixtures' servers send.
func TestEveryShapeOfTheFixturesIsMade(t *testing.T) {
	made := map[string]bool{}
	p := newPlay(t, scenario.Config{Seed: 6, Bridges: 2, Meetings: 25}, func(o *events.Options) { o.Faults.Odd = 0.3 })
	p.follow(0)
	p.follow(1)
	for _, ev := range p.story {
		p.happen(ev)
		p.settle()
	}
	for _, client := range p.clients {
		client.Lock() // it may still be sending an acknowledgement
		frames := slices.Clone(client.Frames)
		client.Unlock()
		for _, f := range frames {
			if f.Dir == "s2c" {
				shapes(t, made, f.Frame)
			}
		}
	}
	files, err := filepath.Glob("testdata/*.jsonl")
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			var f eventstest.Frame
			require.NoError(t, json.Unmarshal(lines.Bytes(), &f))
			if f.Dir != "s2c" {
				continue
			}
			given := map[string]bool{}
			shapes(t, given, f.Frame)
			for shape := range given {
				assert.True(t, made[shape], "%s: %s", file, shape)
			}
		}
	}
}

// TestTheFixturesRequestsAreUnderstood: what the clients of the fixtures send is
// taken without a complaint about its form.
func TestTheFixturesRequestsAreUnderstood(t *testing.T) {
	for _, file := range []string{"guide-flow", "full-call", "limit-99-subscriptions", "unsubscribe-all"} {
		text, err := os.ReadFile("testdata/" + file + ".jsonl")
		require.NoError(t, err)
		p := newPlay(t, scenario.Config{Seed: 6, Bridges: 1, Meetings: 1}, nil)
		r := p.raw(0)
		requests := 0
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			var f eventstest.Frame
			require.NoError(t, json.Unmarshal(lines.Bytes(), &f))
			if f.Dir == "c2s" && bytes.Contains(f.Frame, []byte("subscribeRequest")) {
				r.send(string(f.Frame))
				requests++
			}
		}
		p.eventually(func() bool { return p.received() == requests }, file)
		assert.Empty(t, p.cluster.Accounts()[0].Misuse, file)
	}
}

// trusting makes a client configuration that trusts a certificate.
func trusting(t *testing.T, text []byte) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	return &tls.Config{RootCAs: pool, ServerName: "cms.example.test", MinVersion: tls.VersionTLS12}
}
