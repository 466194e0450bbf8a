// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package callstitchprocessor

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/legato-otel/legato/internal/testkit"
)

// someSegments returns a storage with segments of all sorts, and a change to
// an object in each.
func someSegments(t *testing.T) map[string][]byte {
	t.Helper()
	var values map[string][]byte
	synctest.Test(t, func(t *testing.T) {
		store := testkit.NewStorage()
		r := newHarness(t, withStorage(store))
		r.consume(posts(t, flow[:3]...)...)
		r.consume(posts(t, "distributed/bridge-a-1")...)
		r.consume(posts(t, flow[3:]...)...)
		time.Sleep(linger)
		synctest.Wait()
		values = store.Values()
	})
	require.Greater(t, len(values), 8)
	return values
}

func storageWith(values map[string][]byte) *testkit.Storage {
	store := testkit.NewStorage()
	for key, value := range values {
		store.Put(key, value)
	}
	return store
}

// restored starts a processor and returns what it knows then, lets all time
// pass, and checks that it still works.
func restored(t *testing.T, values map[string][]byte) (known map[string]int64, errors int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := storageWith(values)
		r := newHarness(t, func(r *harness) { withStorage(store)(r); r.next.refuseWith(busy) })
		synctest.Wait()
		known = r.counts()
		r.next.refuseWith(nil)
		errors = r.log.FilterMessageSnippet("Stored segment skipped").Len() + r.log.FilterMessageSnippet("List of stored segments").Len()
		r.consume(legEnd("fc9c85ca-8c41-4a1a-9252-b16977d1e4e1"))
		time.Sleep(r.config.MaxOpen + linger)
		synctest.Wait()
		assert.Contains(t, bySpan(t, r.next.spans()), "13aa44172109b5a8")
		r.stop()
		assert.Equal(t, int64(errors), known["storage_segments_lost"])

		again := newHarness(t, withStorage(store))
		assert.LessOrEqual(t, again.counts()["storage_segments_lost"], int64(errors))
	})
	return known, errors
}

// A segment that is missing, from a newer release, damaged or cut is logged, and
// nothing but that segment is lost.
func TestDamagedSegments(t *testing.T) {
	values := someSegments(t)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		t.Run(strings.ReplaceAll(key, "/", " "), func(t *testing.T) {
			whole := values[key]
			damaged := maps.Clone(values)
			f := func(value []byte, what string, at int) map[string]int64 {
				damaged[key] = value
				known, errors := restored(t, damaged)
				require.Equal(t, 1, errors, "%s at %d", what, at)
				return known
			}
			delete(damaged, key)
			without, errors := restored(t, damaged)
			if key == keyLog {
				require.Zero(t, errors, "the state of a processor that starts for the first time")
			} else {
				require.Equal(t, 1, errors)
			}
			// Everything is one checksum: some places stand for all.
			for at := 0; at < len(whole); at += 1 + len(whole)/40 {
				flipped := slices.Clone(whole)
				flipped[at] ^= 1 << (at % 8)
				if key == keyLog {
					if flipped[0] <= formatVersion { // else see TestNewerState
						f(flipped, "flipped", at)
					}
					f(whole[:at], "cut", at)
					continue
				}
				require.Equal(t, without, f(flipped, "flipped", at), "flipped at %d", at)
				require.Equal(t, without, f(whole[:at], "cut", at), "cut at %d", at)
			}
		})
	}
}

// Every bit counts.
func TestSeal(t *testing.T) {
	value := append(make([]byte, sealSize), "some entries"...)
	seal(value)
	_, content, err := unseal(value)
	require.NoError(t, err)
	assert.Equal(t, "some entries", string(content))
	for bit := range 8 * len(value) {
		flipped := slices.Clone(value)
		flipped[bit/8] ^= 1 << (bit % 8)
		_, _, err := unseal(flipped)
		assert.Error(t, err, "bit %d", bit)
	}
	for size := range value {
		_, _, err := unseal(value[:size])
		assert.Error(t, err, "cut to %d", size)
	}
	for version := byte(1); version < formatVersion; version++ {
		older := sealedBy(version, "some entries")
		wrote, content, err := unseal(older)
		require.NoError(t, err)
		assert.Equal(t, version, wrote)
		assert.Equal(t, "some entries", string(content))
	}
	newer := slices.Clone(value)
	newer[0]++
	_, _, err = unseal(newer)
	assert.ErrorIs(t, err, errVersion)
	_, _, err = unseal(nil)
	assert.ErrorIs(t, err, errMissing)
}

// sealedBy returns a value as an older version stored it.
func sealedBy(version byte, content string) []byte {
	value := append([]byte{version, 0, 0, 0, 0}, content...)
	sum := []byte(content)
	if version > lastWholeVersion {
		sum = append([]byte{version}, content...)
	}
	binary.BigEndian.PutUint32(value[1:], crc32.Checksum(sum, crc32.MakeTable(crc32.Castagnoli)))
	return value
}

// Entries that the engine cannot read are as bad as damaged ones; what comes
// before them counts.
func TestUnreadableEntries(t *testing.T) {
	values := someSegments(t)
	key := partKey(1)
	whole := values[key]
	odd := append(slices.Clone(whole), '?', 0)
	seal(odd)
	values[key] = odd
	known, errors := restored(t, values)
	assert.Equal(t, 1, errors)
	values[key] = whole
	all, errors := restored(t, values)
	assert.Zero(t, errors)
	all["storage_segments_lost"] = 1
	assert.Equal(t, all, known)
}

// A storage that cannot be read fails the start: what is in it is not lost yet.
func TestStorageCannotBeRead(t *testing.T) {
	store := storageWith(someSegments(t))
	fail := &failsLater{Storage: store}
	config := createDefaultConfig().(*Config)
	for _, reads := range []int{0, 1} {
		fail.reads = reads
		err := startWith(t, config, fail)
		require.ErrorIs(t, err, errDisk)
		assert.ErrorContains(t, err, "storage: read the state")
		assert.Zero(t, store.Open())
	}
}

// failsLater is a storage whose clients fail after some reads.
type failsLater struct {
	*testkit.Storage
	reads int
}

func (s *failsLater) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Storage.GetClient(ctx, kind, id, name)
	return &failingClient{client, s}, err
}

type failingClient struct {
	storage.Client
	storage *failsLater
}

func (c *failingClient) Get(ctx context.Context, key string) ([]byte, error) {
	if c.storage.reads == 0 {
		return nil, errDisk
	}
	return c.Client.Get(ctx, key)
}

func (c *failingClient) Batch(context.Context, ...*storage.Operation) error { return errDisk }

// A segment comes back from its parts whatever its size, and one that lost any
// of them is lost alone.
func TestParts(t *testing.T) {
	for _, size := range []int{1, maxPartContent - 1, maxPartContent, maxPartContent + 1, 3 * maxPartContent, 10*maxPartContent + 7} {
		var stored [][]byte
		var want []string
		for n := range 3 {
			entries := bytes.Repeat([]byte{byte('a' + n)}, size)
			want = append(want, string(entries))
			stored = append(stored, partsOf(entries)...)
		}
		assert.Len(t, stored, 3*((size+maxPartContent-1)/maxPartContent))
		for _, part := range stored {
			assert.LessOrEqual(t, len(part), partSize)
		}
		assert.Equal(t, want, assembled(t, stored, 0), "size %d", size)
		for lost := range stored {
			damaged := slices.Clone(stored)
			damaged[lost] = nil
			segment := lost / (len(stored) / 3)
			assert.Equal(t, slices.Delete(slices.Clone(want), segment, segment+1), assembled(t, damaged, 1), "size %d, part %d", size, lost)
		}
		// Deletion may stop in the middle of a segment.
		for first := range len(stored) / 3 {
			left := want
			if first > 0 {
				left = want[1:]
			}
			assert.Equal(t, left, assembled(t, stored[first:], 0), "size %d from part %d", size, first)
		}
	}
}

func assembled(t *testing.T, parts [][]byte, bad int) (segments []string) {
	t.Helper()
	var a segmentReader
	for _, part := range parts {
		entries, err := a.add(part)
		if err != nil {
			bad--
		}
		if len(entries) > 0 {
			segments = append(segments, string(entries))
		}
	}
	assert.Zero(t, bad)
	return segments
}

// What versions 1 and 2 stored is read: a segment was one value then.
func TestWholeSegments(t *testing.T) {
	values := someSegments(t)
	all, errors := restored(t, values)
	require.Zero(t, errors)
	for version := byte(1); version <= lastWholeVersion; version++ {
		older := make(map[string][]byte)
		var parts segmentReader
		var next uint64
		for number := range uint64(len(values) - 1) {
			entries, err := parts.add(values[partKey(number)])
			require.NoError(t, err)
			if len(entries) > 0 {
				older[partKey(next)] = sealedBy(version, string(entries))
				next++
			}
		}
		require.Greater(t, next, uint64(5))
		older[keyLog] = sealedBy(version, string(binary.BigEndian.AppendUint64(make([]byte, 8), next)))
		again, errors := restored(t, older)
		assert.Zero(t, errors)
		assert.Equal(t, all, again)
	}
}
