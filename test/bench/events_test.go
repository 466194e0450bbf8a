// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each frame is one record of the receiver's, and one frame of the bare client:
// else the figures would compare different things.
func TestEachFrameCounts(t *testing.T) {
	const people, n = 20, 200
	for kind, first := range map[string]int{eventsReceiver: 1 + 1 + people, eventsGorilla: 4} {
		t.Run(kind, func(t *testing.T) {
			bridge, err := newEventBridge(1, people)
			require.NoError(t, err)
			defer bridge.stop()
			j, err := beginEvents(t.Context(), setup{Kind: kind, Address: bridge.address, Sockets: 1})
			require.NoError(t, err)
			require.NoError(t, bridge.await())
			_, err = j.do(t.Context(), order{Do: "delivered", Count: first})
			require.NoError(t, err)
			want := first
			for _, name := range []string{frameUpdates, frameComings} {
				for _, window := range windows {
					require.NoError(t, bridge.feed(&eventFrames{kind: name, people: people}, n, window))
					want += n
					_, err = j.do(t.Context(), order{Do: "delivered", Count: want})
					require.NoError(t, err)
				}
			}
			a, err := j.do(t.Context(), order{Do: "report"})
			require.NoError(t, err)
			assert.EqualValues(t, want, a.Delivered)
			require.NoError(t, j.close(context.WithoutCancel(t.Context())))
		})
	}
}
