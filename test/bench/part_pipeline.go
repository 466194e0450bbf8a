// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// The pipeline part: the distribution as it is shipped, with configurations that
// keep what they acknowledge, under the load of many bridges. Beside each is a
// Collector that receives the same records as OTLP, in as many requests, and hands
// them to the same exporter with the same queue.

// pipelinePlan says how much is measured.
type pipelinePlan struct {
	rounds       int
	bridges      []int
	rate         int
	warmUp, time time.Duration
	directory    string
	of           string       // measure only deployments with this in the name
	secure       *certificate // bridges post over TLS, if it is set
	environment  []string     // of the Collector, beside its own
}

// Goals of the pipeline part.
const (
	latestAnswer = 50 * time.Millisecond // of 99 % of the posts
	latestBehind = 3 * time.Second       // until everything is where it is to be
	leastReached = 0.99                  // of the rate
)

func newPipelinePlan(o options) pipelinePlan {
	bridges := []int{300, 1000}
	if o.bridges > 0 {
		bridges = []int{o.bridges}
	}
	return pipelinePlan{
		rounds: (o.rounds + 1) / 2, bridges: bridges, rate: o.rate,
		warmUp: 2 * time.Second, time: o.loadTime, directory: o.directory, of: o.deployment,
	}
}

// deployment is one configuration of the distribution.
type deployment struct {
	name string
	// shipped is a file of config/, which config is laid over; "" for none.
	shipped string
	config  string
	// archived: the records become rows in archive.db. Otherwise they go to an OTLP
	// backend, or to a file.
	archived, backend bool
	database          string // of the archive, in the run's directory; archive.db without
	peer              bool   // gets OTLP
	of                string
	goal              bool
}

// ports of the deployment are taken from %POST%, %OTLP% and %HEALTH%, its files go
// into %DIR%.
const (
	commonConfig = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
receivers:
  cmscdr: { endpoint: "%POST%", storage: file_storage }
processors:
  callstitch: { storage: file_storage }
connectors:
  logtospan: {}
service:
  extensions: [file_storage]
`
	fileConfig = commonConfig + `
  pipelines:
    logs: { receivers: [cmscdr], processors: [callstitch], exporters: [file, logtospan] }
    traces: { receivers: [logtospan], exporters: [file/traces] }
exporters:
  file: { path: %DIR%/records.jsonl, rotation: { max_megabytes: 1000 } }
  file/traces: { path: %DIR%/traces.jsonl, rotation: { max_megabytes: 1000 } }
`
	// shippedOverlay is for ports that this machine may use otherwise.
	shippedOverlay = `
extensions: { healthcheckv2: { http: { endpoint: "%HEALTH%" } } }
`
	shippedPeer = shippedOverlay + `
receivers:
  otlp: { protocols: { http: { endpoint: "%POST%" } } }
  cmscdr: { endpoint: "%IDLE%" }
service:
  pipelines:
    logs: { receivers: [otlp], processors: [memory_limiter], exporters: [otlp_grpc, logtospan] }
`
	archivePipeline = `
  pipelines:
    logs: { receivers: [cmscdr], processors: [callstitch], exporters: [callrecord] }
`
	archivePeer = `
extensions:
  file_storage: { directory: %DIR%/storage, create_directory: true, fsync: true }
receivers:
  otlp: { protocols: { http: { endpoint: "%POST%" } } }
service:
  extensions: [file_storage]
  pipelines:
    logs: { receivers: [otlp], exporters: [callrecord] }
`
	archiveAlone  = "\nexporters: { callrecord: { datasource: %DIR%/archive.db } }\n"
	archiveQueued = "\nexporters: { callrecord: { datasource: %DIR%/archive.db, sending_queue: { storage: file_storage } } }\n"
)

const (
	nameShipped = "config/collector.yaml"
	nameAlone   = "callrecord, no queue"
	nameQueued  = "callrecord, `sending_queue: { storage }`"
)

var deployments = []deployment{
	{name: "file exporters, no queue", config: fileConfig},
	{name: nameShipped, shipped: "collector.yaml", config: shippedOverlay, backend: true, goal: true},
	{name: "otlp receiver, the same queue", shipped: "collector.yaml", config: shippedPeer, backend: true, peer: true, of: nameShipped},
	{name: nameAlone, config: commonConfig + archivePipeline + archiveAlone, archived: true, goal: true},
	{name: "otlp receiver, callrecord, no queue", config: archivePeer + archiveAlone, archived: true, peer: true, of: nameAlone},
	{name: nameQueued, config: commonConfig + archivePipeline + archiveQueued, archived: true, goal: true},
	{name: "otlp receiver, callrecord, the same queue", config: archivePeer + archiveQueued, archived: true, peer: true, of: nameQueued},
}

// pipelineKey is a deployment under the load of so many bridges.
type pipelineKey struct {
	name    string
	bridges int
}

// pipelineRun is one run of it.
type pipelineRun struct {
	loaded
	catchUp
	processUse

	wall   time.Duration // from the first post until all was there
	others float64       // processors that others used
}

type pipelineRuns map[pipelineKey][]pipelineRun

func (p pipelinePlan) bench(ctx context.Context, c *corpus) (pipelineRuns, error) {
	texts, err := wireRecords(c)
	if err != nil {
		return nil, err
	}
	binary, err := binaryPath(ctx)
	if err != nil {
		return nil, err
	}
	runs := make(pipelineRuns)
	for round := range p.rounds {
		for _, bridges := range p.bridges {
			for i := range deployments {
				d := &deployments[(round+i)%len(deployments)]
				if !strings.Contains(d.name, p.of) {
					continue
				}
				progress("%d bridges, %s, round %d of %d", bridges, d.name, round+1, p.rounds)
				run, err := p.run(ctx, binary, d, newBridgeLoad(c.world, texts, bridges, d.peer))
				if err != nil {
					return nil, fmt.Errorf("%s: %w", d.name, err)
				}
				key := pipelineKey{d.name, bridges}
				runs[key] = append(runs[key], run)
				progress("%s", strings.TrimSuffix(run.row(d.name, bridges), "\n"))
			}
		}
	}
	return runs, nil
}

// run measures a deployment once.
func (p pipelinePlan) run(ctx context.Context, binary string, d *deployment, l *bridgeLoad) (run pipelineRun, err error) {
	directory, err := os.MkdirTemp(p.directory, "pipeline")
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	if p.secure != nil {
		if err := p.secure.write(directory); err != nil {
			return run, err
		}
	}
	to, err := startBackend(ctx)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, to.stop(context.WithoutCancel(ctx))) }()
	address, collector, err := d.start(ctx, binary, directory, to.address, p.environment)
	if err != nil {
		return run, err
	}
	stopped := false
	defer func() {
		if !stopped {
			_, stopErr := collector.stop()
			err = errors.Join(err, stopErr)
		}
	}()

	load := openLoad{bridges: l.bridges, rate: p.rate, warmUp: p.warmUp, time: p.time, from: l.posts}
	if p.secure != nil {
		load.secure = p.secure.client()
	}
	busy, begun := machineTime(), time.Now()
	own, err := cpuTime()
	if err != nil {
		return run, err
	}
	if run.loaded, err = load.run(ctx, address); err != nil {
		return run, fmt.Errorf("%w; the Collector's log: %s", err, collector.tail())
	}
	if err := d.await(ctx, &run, l, to, directory); err != nil {
		return run, err
	}
	run.wall = time.Since(begun)
	ownAfter, err := cpuTime()
	if err != nil {
		return run, err
	}
	used := machineTime() - busy - (ownAfter - own)
	stopped = true
	if run.processUse, err = collector.stop(); err != nil {
		return run, err
	}
	run.others = max(0, (used-run.used).Seconds()/run.wall.Seconds())
	return run, nil
}

// start starts the distribution and returns where it is posted to.
func (d *deployment) start(ctx context.Context, binary, directory, backend string, environment []string) (address string, started *distribution, err error) {
	addresses := make([]string, 6)
	for i := range addresses {
		if addresses[i], err = loopback.Address(); err != nil {
			return "", nil, err
		}
	}
	config := strings.NewReplacer("%POST%", addresses[0], "%HEALTH%", addresses[1], "%IDLE%", addresses[2], "%DIR%", directory).Replace(d.config)
	file := filepath.Join(directory, "config.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return "", nil, err
	}
	arguments := []string{"--config", file, "--set", "service::telemetry::metrics::level=none"}
	if d.shipped != "" {
		repository, err := repositoryPath(ctx)
		if err != nil {
			return "", nil, err
		}
		arguments = append([]string{"--config", filepath.Join(repository, "config", d.shipped)}, arguments...)
	}
	collection, err := shippedCollection(ctx)
	if err != nil {
		return "", nil, err
	}
	started, err = startDistribution(ctx, binary, directory, addresses[0], append([]string{
		collection,
		"OTLP_ENDPOINT=" + backend, "OTLP_INSECURE=true", "LEGATO_STORAGE=" + filepath.Join(directory, "storage"),
		"LEGATO_LISTEN=" + addresses[0], "LEGATO_MEDIASENSE_LISTEN=" + addresses[3],
		"LEGATO_HEALTH=" + addresses[1], "LEGATO_PAGE=" + addresses[4], "LEGATO_METRICS=" + addresses[5],
	}, environment...), arguments)
	return addresses[0], started, err
}

// await waits until the accepted records have arrived.
func (d *deployment) await(ctx context.Context, run *pipelineRun, l *bridgeLoad, to *backend, directory string) (err error) {
	switch {
	case d.backend:
		run.catchUp, err = catchUpOf(ctx, to, run.records)
	case d.archived:
		var rows *archiveRows
		if rows, err = openRows(filepath.Join(directory, cmp.Or(d.database, "archive.db"))); err != nil {
			return err
		}
		run.catchUp, err = catchUpOf(ctx, rows, l.objects())
		err = errors.Join(err, rows.db.Close())
	default:
		run.share = 1 // it was written when it was accepted
	}
	return err
}

// bridgeLoad is the load of many bridges.
type bridgeLoad struct {
	bridges int
	streams []*stream
	texts   []wireRecord
	otlp    bool
}

// openOfBridge is how many legs a bridge has open.
const openOfBridge = 4

func newBridgeLoad(w *world, texts []wireRecord, bridges int, otlp bool) *bridgeLoad {
	l := &bridgeLoad{bridges: bridges, texts: texts, otlp: otlp}
	for i := range bridges {
		l.streams = append(l.streams, newStream(w, openOfBridge, uint32(i), uint32(bridges))) //nolint:gosec // some thousands
	}
	return l
}

// posts makes the posts of a bridge: XML, or OTLP with the same records.
func (l *bridgeLoad) posts(bridge int) posts {
	if !l.otlp {
		from := newLegPosts(l.streams[bridge], l.texts, 1)
		return &byTurns{make: func(records int) []byte {
			from.batch = records
			return from.next()
		}}
	}
	source := newLogSource(l.streams[bridge])
	wire := wires[otlpProto]
	return &byTurns{make: func(records int) []byte {
		body, err := plogotlp.NewExportRequestFromLogs(source.batch(records)).MarshalProto()
		if err != nil {
			panic(err) // of what was read from protobuf
		}
		return append(appendHead(nil, wire.path, wire.contentType, len(body)), body...)
	}}
}

// objects is how many calls and legs began, and how many of them ended.
func (l *bridgeLoad) objects() (n int) {
	for _, s := range l.streams {
		n += int(s.started + s.ended) //nolint:gosec // counted up from 0
	}
	return n
}

func (p pipelinePlan) report(runs pipelineRuns) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d records/s, posts of one and two records, %s after %s; p50 and p99 from when a post was due to its 200.\n\n",
		p.rate, p.time, p.warmUp)
	b.WriteString(pipelineHead)
	for _, bridges := range p.bridges {
		for i := range deployments {
			d := &deployments[i]
			for _, run := range runs[pipelineKey{d.name, bridges}] {
				b.WriteString(run.row(d.name, bridges))
			}
		}
	}
	b.WriteString("\n| goal: p99 <= 50 ms, nothing refused, all there within 3 s | bridges | runs that met it | p99 / that of the otlp receiver | |\n|---|---|---|---|---|\n")
	for _, bridges := range p.bridges {
		for i := range deployments {
			if d := &deployments[i]; d.goal && len(runs[pipelineKey{d.name, bridges}]) > 0 {
				b.WriteString(p.goal(runs, d, bridges))
			}
		}
	}
	return b.String()
}

const pipelineHead = "| configuration | bridges | records/s reached | p50 / p99 / longest ms | refused | there at the end of the load | all there after | CPU µs of a record | processors others used |\n" +
	"|---|---|---|---|---|---|---|---|---|\n"

func (r *pipelineRun) row(name string, bridges int) string {
	late := fmt.Sprintf("%.1f s", r.took.Seconds())
	if r.left > 0 {
		late = fmt.Sprintf("%d are not after %.0f s", r.left, r.took.Seconds())
	}
	return fmt.Sprintf("| %s | %d | %.0f | %s / %s / %s | %d | %.0f %% | %s | %.0f | %.1f |\n", name, bridges, r.reached,
		milliseconds(r.p50), milliseconds(r.p99), milliseconds(r.longest), r.refused, 100*r.share, late,
		microseconds(r.used, r.records), r.others)
}

// goal compares the runs of a deployment with the goal, and with its peer's.
func (p pipelinePlan) goal(runs pipelineRuns, d *deployment, bridges int) string {
	of := func(name string) (late []float64, met int) {
		for _, run := range runs[pipelineKey{name, bridges}] {
			late = append(late, float64(run.p99))
			if run.p99 <= latestAnswer && run.refused == 0 && run.left == 0 && run.took <= latestBehind && run.reached >= leastReached*float64(p.rate) {
				met++
			}
		}
		return late, met
	}
	own, met := of(d.name)
	var peer []float64
	for i := range deployments {
		if deployments[i].of == d.name {
			peer, _ = of(deployments[i].name)
		}
	}
	ratio := "-"
	if len(peer) > 0 {
		s := summarize(ratios(own, peer))
		ratio = fmt.Sprintf("%.2f (%.2f..%.2f)", s.median, s.least, s.most)
	}
	return fmt.Sprintf("| %s | %d | %d of %d | %s | %s |\n", d.name, bridges, met, len(own), ratio, verdict(2*met > len(own)))
}
