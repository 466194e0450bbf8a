// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMemoryClient: it is a map, and takes no more room than a few chunks more
// than what is in it.
func TestMemoryClient(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m, want := newMemoryClient(), map[string][]byte{}
	check := func(key string) {
		got, err := m.Get(t.Context(), key)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want[key], got) && (got != nil) == (want[key] != nil), key)
	}
	for i := range 20_000 {
		key := strconv.Itoa(random.IntN(2000))
		if random.IntN(3) == 0 {
			require.NoError(t, m.Delete(t.Context(), key))
			delete(want, key)
		} else {
			value := bytes.Repeat([]byte{byte(i)}, 1+random.IntN(5000))
			if i%5000 == 0 {
				value = make([]byte, chunkSize+1)
			}
			require.NoError(t, m.Set(t.Context(), key, value))
			want[key] = value
		}
		check(key)
	}
	for key := range 2000 {
		check(strconv.Itoa(key))
	}
	clear(want)
	for key := range 2000 {
		require.NoError(t, m.Delete(t.Context(), strconv.Itoa(key)))
	}
	assert.Len(t, m.empty, len(m.chunks)-1)
}

// TestMemoryClientInOrder: what is written in order and deleted in order takes
// as much room as there is of it at a time.
func TestMemoryClientInOrder(t *testing.T) {
	m := newMemoryClient()
	const held = 10_000
	for i := range 20 * held {
		require.NoError(t, m.Set(t.Context(), strconv.Itoa(i), make([]byte, 1000)))
		if i >= held {
			require.NoError(t, m.Delete(t.Context(), strconv.Itoa(i-held)))
		}
	}
	assert.LessOrEqual(t, len(m.chunks), 2+held*1000/chunkSize+1)
}
