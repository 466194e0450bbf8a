// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/sha256"
	"sync"
)

// ContentHash identifies a part without an index by its content.
type ContentHash [16]byte

// HashContent returns the hash of a part's content and its session.
func HashContent(session, content string) (result ContentHash) {
	hash := sha256.New()
	hash.Write([]byte(session))
	hash.Write([]byte{0})
	hash.Write([]byte(content))
	copy(result[:], hash.Sum(nil))
	return result
}

// ContentHashLimit is how many of the newest hashes of each kind are kept at least. A Call
// Bridge repeats only its last body, so the receiver recognizes a body with up to as many
// parts without an index. Each kind needs 0.5 MB of memory.
const ContentHashLimit = (segmentCount - 1) * segmentSize

// segmentSize is the number of hashes in a stored value of 4 KiB, and segmentCount the
// number of such values of each kind.
const (
	segmentSize  = 256
	segmentCount = 33
)

// ContentHashes remembers the last accepted parts without an index. Hashes of named sessions
// are a kind of their own, so that unnamed senders do not evict them. It is safe for
// concurrent use; the zero value is empty.
type ContentHashes struct {
	mu             sync.Mutex
	named          hashRing
	unnamed        hashRing
	version        uint64 // increases with each change
	storedVersion  uint64 // the newest version that is stored
	hasFormerValue bool   // the value of a former version is still in the storage
}

// Contains reports whether a part with this hash was accepted before.
func (f *ContentHashes) Contains(hash ContentHash) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.named.contains(hash) || f.unnamed.contains(hash)
}

// MarkAccepted marks parts as accepted. named reports that their session names its bridge and
// that the ledger knew it before.
func (f *ContentHashes) MarkAccepted(hashes []ContentHash, named bool) {
	if len(hashes) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version++
	ring := &f.unnamed
	if named {
		ring = &f.named
	}
	for _, hash := range hashes {
		ring.add(hash, f.version)
	}
}

// HasChanges reports whether there are hashes that are not stored.
func (f *ContentHashes) HasChanges() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.storedVersion != f.version
}

// hashRing is a ring buffer of segments: a new segment overwrites the oldest one.
type hashRing struct {
	segments        [segmentCount]hashSegment // slot = number modulo segmentCount
	newestSegment   uint64                    // number of the segment that is being filled
	newestSegmentOf map[ContentHash]uint64    // number of the newest segment with the hash
}

type hashSegment struct {
	number  uint64
	hashes  []ContentHash // the oldest first
	version uint64        // ContentHashes.version at the last change
}

func (r *hashRing) contains(hash ContentHash) bool {
	_, ok := r.newestSegmentOf[hash]
	return ok
}

func (r *hashRing) add(hash ContentHash, version uint64) {
	if r.newestSegmentOf == nil {
		r.newestSegmentOf = make(map[ContentHash]uint64)
	}
	if len(r.segments[r.newestSegment%segmentCount].hashes) >= segmentSize {
		r.newestSegment++
		r.clearSlot(r.newestSegment % segmentCount)
	}
	segment := &r.segments[r.newestSegment%segmentCount]
	segment.number, segment.version = r.newestSegment, version
	segment.hashes = append(segment.hashes, hash)
	r.newestSegmentOf[hash] = r.newestSegment
}

// clearSlot empties a slot. A hash that is in a newer segment too stays known.
func (r *hashRing) clearSlot(slot uint64) {
	segment := &r.segments[slot]
	for _, hash := range segment.hashes {
		if r.newestSegmentOf[hash] == segment.number {
			delete(r.newestSegmentOf, hash)
		}
	}
	segment.hashes = segment.hashes[:0]
}
