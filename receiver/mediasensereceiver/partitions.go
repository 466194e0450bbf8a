// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasensereceiver

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/mediasense/event"
)

// maxPartitions bounds the known partitions. Above it, the one with the oldest event is
// evicted. A cluster has five nodes with one partition each.
const maxPartitions = 256

// partitionID identifies a partition. Each field may be missing in its events.
type partitionID struct{ node, address, partition string }

func (id partitionID) compare(other partitionID) int {
	return cmp.Or(cmp.Compare(id.node, other.node), cmp.Compare(id.address, other.address), cmp.Compare(id.partition, other.partition))
}

// partitionOf returns the partition of a threshold event, as copies of the body's texts.
func partitionOf(e *event.Event) partitionID {
	node, _ := e.Member(event.NodeID)
	name := strings.Clone(clipName(node.Text))
	if node.Kind == event.KindInt {
		name = strconv.FormatInt(node.Int(), 10) // 1.0 and " 1" are node 1 too
	}
	return partitionID{
		node:      name,
		address:   strings.Clone(clipName(e.Text(event.NodeIPAddress))),
		partition: strings.Clone(clipName(e.Text(event.Partition))),
	}
}

// partitionStates are the states of all partitions. It is safe for concurrent use.
type partitionStates struct {
	window time.Duration // see event.Usage.Apply

	mu            sync.Mutex // guards everything below
	usages        map[partitionID]*event.Usage
	version       uint64 // of known
	storedVersion uint64 // the newest version that is stored
}

func newPartitionStates(window time.Duration) *partitionStates {
	return &partitionStates{window: window, usages: make(map[partitionID]*event.Usage)}
}

// applyChunk applies the new threshold events of a chunk, quarantined ones too: they are true
// even if the pipeline refused them.
func (p *partitionStates) applyChunk(b *batch, c *outbox.Chunk) {
	from, to := b.eventsOf(c)
	for i := from; i < to; i++ {
		e := &b.decoded.Events[i]
		if b.events[i].isDuplicate || e.Type.Object() != event.Storage {
			continue
		}
		percentage, ok := percentageOf(e)
		if !ok {
			percentage = event.NoPercentage
		}
		p.applyEvent(partitionOf(e), e.Type, percentage, b.receivedAt)
	}
}

func (p *partitionStates) applyEvent(id partitionID, threshold event.Type, percentage float64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	usage := p.usages[id]
	if usage == nil {
		if len(p.usages) >= maxPartitions {
			p.evictOldest()
		}
		usage = &event.Usage{Percentage: event.NoPercentage}
		p.usages[id] = usage
	}
	usage.Apply(threshold, percentage, now, p.window)
	p.version++
}

func (p *partitionStates) evictOldest() {
	var oldest *event.Usage
	var gone partitionID
	for id, usage := range p.usages {
		if oldest == nil || usage.Changed.Before(oldest.Changed) {
			oldest, gone = usage, id
		}
	}
	delete(p.usages, gone)
}

// partitionState is the state of a partition for the gauges.
type partitionState struct {
	id         partitionID
	level      event.Level
	percentage float64
}

// list returns all partitions, ordered by id.
func (p *partitionStates) list() []partitionState {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]partitionState, 0, len(p.usages))
	for id, usage := range p.usages {
		all = append(all, partitionState{id, usage.Level, usage.Percentage})
	}
	slices.SortFunc(all, func(a, b partitionState) int { return a.id.compare(b.id) })
	return all
}

func (p *partitionStates) hasChanges() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.version != p.storedVersion
}

// storedVersion is the version of the stored levels. Base and Recent were added without a new
// version: older releases ignore them.
const storedVersion = 1

// storedLevels is the stored form of all partitions, written after each threshold event: a
// few hundred bytes, and at most 4 KiB more for a partition with many recent events.
type storedLevels struct {
	Version    int               `json:"version"`
	Partitions []storedPartition `json:"partitions"`
}

type storedPartition struct {
	Node       string  `json:"node,omitempty"`
	Address    string  `json:"address,omitempty"`
	Partition  string  `json:"partition,omitempty"`
	Level      string  `json:"level"`
	Percentage float64 `json:"percentage"`
	// Changed is in Unix milliseconds.
	Changed int64 `json:"changed"`
	// Base is the level before the recent events, "" if it is Level.
	Base string `json:"base,omitempty"`
	// Recent are the events within the window of the last one, the oldest first.
	Recent []storedCrossing `json:"recent,omitempty"`
}

type storedCrossing struct {
	Threshold  string  `json:"threshold"`
	Enter      bool    `json:"enter,omitempty"`
	Percentage float64 `json:"percentage"`
}

func storedPartitionOf(id partitionID, usage *event.Usage) storedPartition {
	base, recent := usage.Recent()
	s := storedPartition{
		Node: id.node, Address: id.address, Partition: id.partition,
		Level: usage.Level.String(), Percentage: usage.Percentage, Changed: usage.Changed.UnixMilli(), Base: base.String(),
	}
	for _, c := range recent {
		s.Recent = append(s.Recent, storedCrossing{c.Threshold.String(), c.Enter, c.Percentage})
	}
	return s
}

// usage returns the partition's state. If the recent events cannot be read, it has none.
func (s *storedPartition) usage() (usage event.Usage, ok bool) {
	level, ok := event.LevelOf(s.Level)
	usage = event.Restore(level, s.Percentage, time.UnixMilli(s.Changed))
	base, isKnown := event.LevelOf(s.Base)
	recent := make([]event.Crossing, 0, len(s.Recent))
	for _, c := range s.Recent {
		threshold, _ := event.LevelOf(c.Threshold) // Normal is refused
		recent = append(recent, event.Crossing{Threshold: threshold, Enter: c.Enter, Percentage: c.Percentage})
	}
	if isKnown {
		usage.RestoreRecent(base, recent)
	}
	return usage, ok
}

// snapshot returns the state to store and its version for markSaved. The state is nil if it is
// stored already.
func (p *partitionStates) snapshot() (stored []byte, version uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.version == p.storedVersion {
		return nil, p.version, nil
	}
	levels := storedLevels{Version: storedVersion}
	for id, usage := range p.usages {
		levels.Partitions = append(levels.Partitions, storedPartitionOf(id, usage))
	}
	stored, err = json.Marshal(levels)
	return stored, p.version, err
}

func (p *partitionStates) markSaved(version uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.storedVersion = max(p.storedVersion, version)
}

// restore restores stored levels, before the first event. An error about levels of a newer
// release wraps errNewer.
func (p *partitionStates) restore(stored []byte) error {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(stored, &version); err != nil {
		return fmt.Errorf("stored levels cannot be read: %w", err)
	}
	if version.Version > storedVersion {
		return fmt.Errorf("%w: the levels have version %d, this release reads %d", errNewer, version.Version, storedVersion)
	}
	var levels storedLevels
	if err := json.Unmarshal(stored, &levels); err != nil {
		return fmt.Errorf("stored levels cannot be read: %w", err)
	}
	if levels.Version != storedVersion {
		return fmt.Errorf("stored levels have version %d, this release reads %d", levels.Version, storedVersion)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range levels.Partitions {
		usage, ok := s.usage()
		if !ok || len(p.usages) >= maxPartitions {
			continue
		}
		p.usages[partitionID{clipName(s.Node), clipName(s.Address), clipName(s.Partition)}] = &usage
	}
	return nil
}
