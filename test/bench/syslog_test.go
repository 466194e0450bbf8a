// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each receiver makes of the lines as many records as are waited for, else the figures
// would compare different things.
func TestSyslogRecords(t *testing.T) {
	for _, kind := range []string{syslogOurs, syslogContrib} {
		address, err := freeAddress()
		require.NoError(t, err)
		j, err := beginSyslog(t.Context(), setup{Kind: kind, Address: address})
		require.NoError(t, err)
		connection, err := net.Dial("tcp", address)
		require.NoError(t, err)
		want := 0
		for _, lines := range syslogLines {
			for range 10 {
				for _, line := range lines.lines {
					_, err := connection.Write([]byte(line + "\n"))
					require.NoError(t, err)
				}
			}
			if kind == syslogContrib {
				want += 10 * len(lines.lines)
			} else {
				want += 10 * lines.records
			}
			_, err = j.do(t.Context(), order{Do: "delivered", Count: want})
			require.NoError(t, err)
		}
		require.NoError(t, connection.Close())
		require.NoError(t, j.close(context.WithoutCancel(t.Context())))
		a, err := j.do(t.Context(), order{Do: "report"})
		require.NoError(t, err)
		assert.EqualValues(t, want, a.Delivered)
	}
}
