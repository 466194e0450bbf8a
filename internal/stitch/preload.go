// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

// Expected is an object that one of the next records describes.
type Expected struct {
	Kind Kind
	ID   string // empty for none
	// Ends reports whether the record ends the object.
	Ends bool
	// Known is the object; Preload sets it. It is zero if the engine does not have the object.
	Known Ref

	identity  identity
	first     uint32 // slot of the first object in the bucket
	container uint32 // slot of the object's call or session
	facts     [2]cellsLeft
	loaded    uint64 // sum of the other loaded values, so that the compiler keeps the loads
}

// cellsLeft are the cells of a block that are not loaded yet.
type cellsLeft struct {
	cell block
	left int
}

const (
	// MaxExpected is how many objects one Preload loads at most.
	MaxExpected = 64
	// maxPreloaded is how many cells of a block it loads at most.
	maxPreloaded = 8
)

// Preload finds objects and loads their memory into the CPU's cache. It changes no state. With
// many open objects nearly every load of Apply misses the cache, and each waits for the one
// before it: bucket, object, call, cells of the facts. Preload makes each of these loads for all
// objects before the next one, so that the misses overlap. docs/performance.md has figures.
func (e *Engine) Preload(all []Expected) {
	all = all[:min(len(all), MaxExpected)]
	for i := range all {
		if x := &all[i]; x.ID != "" {
			x.identity, _ = identityOf(x.Kind, x.ID)
			x.first = *e.identities.bucket(e.identityHash(x.Kind, &x.identity))
		}
	}
	for i := range all {
		x := &all[i]
		for slot := x.first; slot != 0; {
			o := e.objects.at(slot)
			if o.identity == x.identity && o.kind == x.Kind {
				x.Known = Ref{slot, o.generation}
				break
			}
			slot = o.nextInBucket
		}
	}
	for i := range all {
		if x := &all[i]; x.Known.slot != 0 {
			o := e.objects.at(x.Known.slot)
			x.container, x.facts[0] = o.containerSlot, leftOf(o)
			if x.Ends {
				x.loaded += e.loadNeighbours(&o.queue) + e.loadNeighbours(&o.ofSession) + e.loadNeighbours(&o.ofCall)
			}
		}
	}
	for i := range all {
		if x := &all[i]; x.container != 0 {
			o := e.objects.at(x.container)
			info := e.containers.at(o.containerIndex)
			x.facts[1] = leftOf(o)
			x.loaded += uint64(info.trace[0]) + uint64(info.memberCount) + uint64(info.open.head)
		}
	}
	for range maxPreloaded {
		for i := range all {
			facts := &all[i].facts
			for j := range facts {
				if f := &facts[j]; f.left > 0 {
					f.cell, f.left = e.arena.at(f.cell).next(), f.left-1
				}
			}
		}
	}
}

// leftOf returns the cells of an object's facts. The chain begins with the last one, which
// points to the first one.
func leftOf(o *object) cellsLeft {
	return cellsLeft{o.facts, min(cellsOf(int(o.factsSize)), maxPreloaded)}
}

// loadNeighbours loads the objects before and behind an object in a list.
func (e *Engine) loadNeighbours(l *listLinks) uint64 {
	return uint64(e.objects.at(l.previous).newestIndex) + uint64(e.objects.at(l.next).newestIndex)
}
