// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const fixtures = "../../../testdata/mediasense"

func fixture(tb testing.TB, name string) string {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join(fixtures, name))
	require.NoError(tb, err)
	return string(body)
}

func decode(body string) Batch {
	var d Decoder
	return d.Decode(body)
}

// one is the event of a body that is one event.
func one(tb testing.TB, body string) Event {
	tb.Helper()
	batch := decode(body)
	require.Empty(tb, batch.Malformed)
	require.Len(tb, batch.Events, 1)
	return batch.Events[0]
}
