// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mediasense

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const fixtures = "../../testdata/mediasense"

func fixture(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(fixtures, name))
	require.NoError(t, err)
	return string(body)
}

func decode(body string) Batch {
	var d Decoder
	return d.Decode(body)
}

// one is the event of a body that is one event.
func one(t testing.TB, body string) Event {
	t.Helper()
	batch := decode(body)
	require.Empty(t, batch.Malformed)
	require.Len(t, batch.Events, 1)
	return batch.Events[0]
}
