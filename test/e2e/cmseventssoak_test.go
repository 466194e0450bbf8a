// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSoakEvents follows a hundred meetings of twenty people, with sockets cut and
// servers restarted: an hour of them in as much time as LEGATO_SOAK says, or the
// first quarter in as many seconds if it says nothing (`make soak-events` is the
// long form). In the end the gauges are the truth.
func TestSoakEvents(t *testing.T) {
	t.Parallel()
	story := []string{"-seed", "3", "-meetings", "20", "-crowd", "100x20", "-play-for"}
	playFor, speed, trouble := "15m", 60.0, 3*time.Second
	if text := os.Getenv("LEGATO_SOAK"); text != "" {
		length, err := time.ParseDuration(text)
		require.NoError(t, err, "LEGATO_SOAK")
		playFor, speed, trouble = "1h", float64(time.Hour)/float64(length), max(trouble, length/60)
	}
	c, is := follow(t, "\n    snapshot_grace: 500ms", append(story, playFor), "-target", "none",
		"-speed", strconv.FormatFloat(speed, 'f', -1, 64),
		"-faults", fmt.Sprintf("events-drop=%[1]s,events-restart=%[1]s,events-deactivate=%[1]s", trouble))
	faults, messages := map[string]int{}, 0
	for _, b := range is.Events.Bridges {
		messages += b.Account.Messages
		for name, n := range b.Account.Faults {
			faults[name] += n
		}
	}
	for _, name := range []string{"drop", "restart", "deactivate"} {
		assert.Positive(t, faults[name], name)
	}
	resident := c.resident()
	c.stop()
	added, removed, _ := c.comings()
	is.compareComings(t, added, removed)
	t.Logf("%d came, %d of them seen, %d left; %v; %d messages; resident %d MiB", is.Events.Added, added, removed, faults, messages, resident>>20)
}
