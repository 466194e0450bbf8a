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

// maxPartitions is how many partitions are known at once; of more, the one that
// was not heard of for longest goes. A cluster has five nodes with one each.
const maxPartitions = 256

// partitionID names a partition by what its events say of it. Each part may be
// missing on the wire.
type partitionID struct{ node, address, partition string }

func (id partitionID) compare(other partitionID) int {
	return cmp.Or(cmp.Compare(id.node, other.node), cmp.Compare(id.address, other.address), cmp.Compare(id.partition, other.partition))
}

// partitionOf returns the partition of a threshold event. It does not keep the
// body alive.
func partitionOf(e *event.Event) partitionID {
	node, _ := e.Member(event.NodeID)
	name := strings.Clone(clip(node.Text))
	if node.Kind == event.KindInt {
		name = strconv.FormatInt(node.Int(), 10) // 1.0 and " 1" are node 1 too
	}
	return partitionID{
		node:      name,
		address:   strings.Clone(clip(e.Text(event.NodeIPAddress))),
		partition: strings.Clone(clip(e.Text(event.Partition))),
	}
}

// partitions knows how full each partition is. It is safe for concurrent use.
type partitions struct {
	window time.Duration // see event.Usage.Apply

	mu      sync.Mutex // guards everything below
	known   map[partitionID]*event.Usage
	version uint64 // of known
	saved   uint64 // the newest version that is stored
}

func newPartitions(window time.Duration) *partitions {
	return &partitions{window: window, known: make(map[partitionID]*event.Usage)}
}

// apply takes the threshold events of a piece that are new, those that the
// pipeline refused too: the disk is as full all the same.
func (p *partitions) apply(in *intake, of *outbox.Piece) {
	from, to := in.eventsOf(of)
	for i := from; i < to; i++ {
		e := &in.batch.Events[i]
		if in.events[i].duplicate || e.Type.Object() != event.Storage {
			continue
		}
		percentage, ok := percentageOf(e)
		if !ok {
			percentage = event.NoPercentage
		}
		p.applyOne(partitionOf(e), e.Type, percentage, in.received)
	}
}

func (p *partitions) applyOne(id partitionID, threshold event.Type, percentage float64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	usage := p.known[id]
	if usage == nil {
		if len(p.known) >= maxPartitions {
			p.evict()
		}
		usage = &event.Usage{Percentage: event.NoPercentage}
		p.known[id] = usage
	}
	usage.Apply(threshold, percentage, now, p.window)
	p.version++
}

func (p *partitions) evict() {
	var oldest *event.Usage
	var gone partitionID
	for id, usage := range p.known {
		if oldest == nil || usage.Changed.Before(oldest.Changed) {
			oldest, gone = usage, id
		}
	}
	delete(p.known, gone)
}

// shownPartition is a partition as the gauges show it.
type shownPartition struct {
	id         partitionID
	level      event.Level
	percentage float64
}

// shown returns all partitions in their order.
func (p *partitions) shown() []shownPartition {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]shownPartition, 0, len(p.known))
	for id, usage := range p.known {
		all = append(all, shownPartition{id, usage.Level, usage.Percentage})
	}
	slices.SortFunc(all, func(a, b shownPartition) int { return a.id.compare(b.id) })
	return all
}

func (p *partitions) unsaved() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.version != p.saved
}

// storedVersion of the levels that are stored. Base and Recent came later: a release
// that does not know them reads the levels without.
const storedVersion = 1

// storedLevels is what is stored: a few hundred bytes, and at most 4 KiB more for a
// partition of which many thresholds were crossed lately, written when a threshold
// is crossed.
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
	// Recent are the events that the next one may belong to, the oldest first.
	Recent []storedCrossing `json:"recent,omitempty"`
}

type storedCrossing struct {
	Threshold  string  `json:"threshold"`
	Enter      bool    `json:"enter,omitempty"`
	Percentage float64 `json:"percentage"`
}

func storedOf(id partitionID, usage *event.Usage) storedPartition {
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

// usage returns the partition's state. Without recent events that can be read, the
// next event is the first one.
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

// snapshot returns the state for storage and its version, for isSaved; nil if it
// is stored.
func (p *partitions) snapshot() (stored []byte, version uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.version == p.saved {
		return nil, p.version, nil
	}
	levels := storedLevels{Version: storedVersion}
	for id, usage := range p.known {
		levels.Partitions = append(levels.Partitions, storedOf(id, usage))
	}
	stored, err = json.Marshal(levels)
	return stored, p.version, err
}

func (p *partitions) isSaved(version uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saved = max(p.saved, version)
}

// restore puts stored levels back, before the first event. The error about those of a
// newer release wraps errNewer.
func (p *partitions) restore(stored []byte) error {
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
		if !ok || len(p.known) >= maxPartitions {
			continue
		}
		p.known[partitionID{clip(s.Node), clip(s.Address), clip(s.Partition)}] = &usage
	}
	return nil
}
