// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestCreationTime(t *testing.T) {
	for text, want := range map[string]string{ // "" cannot be read
		"2024-06-10T07:50:51.123Z":      "2024-06-10T07:50:51.123Z",
		"2024-02-29T00:00:00.000Z":      "2024-02-29T00:00:00Z",
		"2024-12-31T23:59:59.999Z":      "2024-12-31T23:59:59.999Z",
		"0000-02-29T00:00:00.000Z":      "0000-02-29T00:00:00Z",
		"1969-12-31T23:59:59.999Z":      "1969-12-31T23:59:59.999Z",
		"2000-02-29T12:00:00.000Z":      "2000-02-29T12:00:00Z",
		"1900-02-29T00:00:00.000Z":      "",
		"2024-06-10T07:50:51Z":          "2024-06-10T07:50:51Z",
		"2024-06-10T07:50:51":           "2024-06-10T07:50:51Z",
		"2024-06-10T07:50:51.123+02:00": "2024-06-10T05:50:51.123Z",
		"2024-06-10T07:50:51+0200":      "2024-06-10T05:50:51Z",
		"2023-02-29T00:00:00.000Z":      "",
		"2024-06-31T00:00:00.000Z":      "",
		"2024-06-00T00:00:00.000Z":      "",
		"2024-00-10T00:00:00.000Z":      "",
		"2024-13-10T00:00:00.000Z":      "",
		"2024-06-10T24:00:00.000Z":      "",
		"2024-06-10T23:60:00.000Z":      "",
		"2024-06-10T23:59:60.000Z":      "",
		"2024-06-10T23:59:5x.000Z":      "",
		"2024-06-10 23:59:59.000Z":      "",
		"":                              "",
	} {
		got, zoned, ok := parseCreationTime(text)
		assert.Equal(t, want != "", ok, text)
		if ok {
			assert.Equal(t, want, got.Format(time.RFC3339Nano), text)
			assert.Equal(t, strings.Contains(text, "+"), zoned, text)
		}
	}
}

func TestTimeZoneOffset(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "120": 120, "+330": 330, "-300": -300, "840": 840, "-840": -840} {
		got, ok := parseOffset(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-", "+-1", "841", "-841", "1.5", "GMT", " 120"} {
		got, ok := parseOffset(text)
		assert.False(t, ok, text)
		assert.Zero(t, got, text)
	}
}
