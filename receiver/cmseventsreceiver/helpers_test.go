// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmseventsreceiver

import (
	"flag"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/sharedcomponent"
	"github.com/legato-otel/legato/internal/testkit/receiverkit"
)

var update = flag.Bool("update", false, "write the golden files anew")

const fixtures = "../../testdata/cms-events"

// harness is a receiver with sinks and fake bridges in a synctest bubble.
type harness struct {
	*receiverkit.Receiver
	config   *Config
	network  *network
	bridges  []*fakeBridge
	sink     *consumertest.LogsSink // the default of Logs
	receiver *eventsReceiver
}

// serverConfig returns the configuration of a server in memory.
func serverConfig(address string) ServerConfig {
	s := ServerConfig{HTTP: api.NewDefaultServerConfig().HTTP, Username: username, Password: password}
	s.HTTP.Endpoint = "http://" + address
	s.HTTP.TLS.Insecure = true
	return s
}

// runInBubble runs a test in a synctest bubble; change may alter the harness before it
// starts.
func runInBubble(t *testing.T, bridges int, change func(*harness), test func(r *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newHarness(t, bridges, change)
		r.Start()
		test(r)
		r.Stop()
		assert.Zero(t, r.network.frames["forbidden"], "text in one frame each, and no pings")
		assert.NotZero(t, r.network.frames["text"]+r.bridges[0].count("token"))
	})
}

func newHarness(t *testing.T, bridges int, change func(*harness)) *harness {
	t.Helper()
	config := createDefaultConfig().(*Config)
	r := &harness{
		Receiver: receiverkit.New(t, NewFactory(), config, zap.DebugLevel),
		config:   config, network: newNetwork(), sink: new(consumertest.LogsSink),
	}
	r.Logs = r.sink
	for i := range bridges {
		address := fmt.Sprintf("cms%d.example.test:8443", i+1)
		r.bridges = append(r.bridges, newFakeBridge(t, address, func() net.Listener { return r.network.listen(address) }))
		config.Servers = append(config.Servers, serverConfig(address))
	}
	if change != nil {
		change(r)
	}
	return r
}

// Start creates and starts the receiver for each consumer that is set.
func (r *harness) Start() {
	r.T.Helper()
	r.Create()
	r.receiver = r.Parts[0].(*sharedcomponent.Component[*eventsReceiver]).Unwrap()
	r.receiver.dial = r.network.dial
	r.StartParts()
}

// Stop shuts the receiver down, then the bridges.
func (r *harness) Stop() {
	r.T.Helper()
	r.Receiver.Stop()
	for _, b := range r.bridges {
		b.stop()
	}
}

// wait lets d pass and waits until all goroutines are idle.
func (r *harness) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// gauges are the sums of the gauges of all servers.
type gauges struct {
	calls, recording, streaming, locked, participants int64
}

func (r *harness) gauges() (sum gauges) {
	all, known := r.receiver.hub.gauges()
	for i, g := range all {
		if !known[i] {
			continue
		}
		sum.calls += g.Calls
		sum.recording += g.Recording
		sum.streaming += g.Streaming
		sum.locked += g.Locked
		for s := range g.Participants {
			for _, n := range g.Participants[s] {
				sum.participants += n
			}
		}
	}
	return sum
}

// bodies returns the bodies of all records since the last resetRecords.
func (r *harness) bodies() (all []string) {
	for _, lr := range receiverkit.Records(r.sink.AllLogs()) {
		all = append(all, lr.Body().Str())
	}
	return all
}

func (r *harness) resetRecords() { r.sink.Reset() }

func text(lr plog.LogRecord, key string) string {
	if v, found := lr.Attributes().Get(key); found {
		return v.AsString()
	}
	return ""
}

// participantsOf returns the participants by id, with their elements, after all records. It
// fails the test if a record does not follow from the records before.
func participantsOf(t *testing.T, all []plog.Logs) map[string]map[string]any {
	t.Helper()
	people := make(map[string]map[string]any)
	for _, lr := range receiverkit.Records(all) {
		id := text(lr, names.ParticipantID)
		switch lr.EventName() {
		case names.EventEventParticipantAdd:
			assert.NotContains(t, people, id, "added twice")
			people[id] = map[string]any{}
		case names.EventEventParticipantUpdate:
			assert.Contains(t, people, id, "updated, but not there")
		case names.EventEventParticipantRemove:
			assert.Contains(t, people, id, "removed, but not there")
			delete(people, id)
			continue
		default:
			continue
		}
		for key, v := range lr.Attributes().All() {
			if people[id] != nil {
				people[id][key] = v.AsRaw()
			}
		}
	}
	return people
}

// callElements returns the usual elements of a call.
func callElements(correlator string) elements {
	return elements{"name": "Board", "participants": 1, "distributedInstances": 0, "recording": "inactive", "streaming": "inactive", "lockState": "notLocked", "callType": "coSpace", "callCorrelator": correlator}
}

func participantElements(name string) elements {
	return elements{"name": name, "uri": "x", "state": "connected", "direction": "incoming", "audioMuted": false, "videoMuted": false, "importance": nil, "activeSpeaker": false}
}
