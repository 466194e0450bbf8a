// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// linkBridges makes the bridges name each other, and each know itself.
func linkBridges(bridges map[string]*bridge) {
	var list strings.Builder
	fmt.Fprintf(&list, `<callBridges total="%d">`, len(bridges))
	for id := range bridges {
		fmt.Fprintf(&list, `<callBridge id="%s"><name>name of %s</name></callBridge>`, id, id)
	}
	list.WriteString("</callBridges>")
	for id, b := range bridges {
		b.set(func(b *bridge) {
			b.answers["/callBridges"] = list.String()
			b.answers["/system/configuration/cluster"] = "<cluster><uniqueName>name of " + id + "</uniqueName></cluster>"
			for other, o := range bridges {
				b.answers["/callBridges/"+other] = `<callBridge id="` + other + `"><name/><address>` + o.server.URL + `</address></callBridge>`
			}
		})
	}
}

// One server is named, and all bridges of its cluster are scraped, each once and
// under its own name.
func TestDiscover(t *testing.T) {
	north, south := newBridge(t), newBridge(t)
	bridges := map[string]*bridge{northID: north, southID: south}
	linkBridges(bridges)
	r := newHarness(t, func(c *Config) { c.Discover = true }, north)
	all := r.scrape()
	assert.Len(t, all, 2, "in the first scrape already")
	assert.Contains(t, all, northID)
	assert.Contains(t, all, southID)
	asked := strings.Join(north.asked(), " ")
	assert.Equal(t, 1, strings.Count(asked, "/callBridges/"))
	assert.NotContains(t, strings.Join(south.asked(), " "), "/callBridges/", "those who were discovered discover nobody")
	require.Len(t, r.scrape(), 2)
	assert.NotContains(t, strings.Join(north.asked(), " "), "/callBridges")

	// The named server is away: the other one is still scraped.
	north.set(func(b *bridge) { b.statuses[""] = http.StatusInternalServerError })
	all = r.scrape()
	assert.Len(t, all, 1)
	assert.Contains(t, all, southID)
	north.set(func(b *bridge) { delete(b.statuses, "") })
	require.Len(t, r.scrape(), 2)
	assert.Equal(t, componentstatus.StatusOK, r.host.last().Status())

	// A bridge that moves is found again, and one that leaves is left alone.
	moved := newBridge(t)
	south.set(func(b *bridge) { b.statuses[""] = http.StatusInternalServerError })
	r.scrape()
	bridges[southID] = moved
	linkBridges(bridges)
	r.all.snapshot()[0].inventory.nextRead = time.Time{}
	all = r.scrape()
	assert.Len(t, all, 2)
	assert.NotEmpty(t, moved.asked())
	assert.Equal(t, componentstatus.StatusOK, r.host.last().Status())
	delete(bridges, southID)
	linkBridges(bridges)
	r.all.snapshot()[0].inventory.nextRead = time.Time{}
	r.scrape()
	assert.Len(t, r.all.snapshot(), 1)
	moved.asked()
	assert.Len(t, r.scrape(), 1)
	assert.Empty(t, moved.asked())
}

// Bridges that are named are not discovered as well, whichever way they are known.
func TestDiscoverAmongNamed(t *testing.T) {
	north, south := newBridge(t), newBridge(t)
	linkBridges(map[string]*bridge{northID: north, southID: south})
	r := newHarness(t, func(c *Config) { c.Discover = true }, north, south)
	for range 2 {
		assert.Len(t, r.scrape(), 2)
		assert.Len(t, r.all.snapshot(), 2)
	}
	r = newHarness(t, nil, north)
	assert.Len(t, r.scrape(), 1, "not without discover")
}

// The password goes to no address without TLS, and to none that is no address.
func TestAPIAddress(t *testing.T) {
	f := func(text string, insecure bool, want string) {
		t.Helper()
		got, err := apiAddress(text, insecure)
		assert.Equal(t, want == "", err != nil, "%v", err)
		assert.Equal(t, want, got)
	}
	f("https://192.0.2.30", false, "https://192.0.2.30")
	f("https://CMS1.example.test:445/", false, "https://cms1.example.test:445")
	f("cms1.example.test:445", false, "https://cms1.example.test:445")
	f("192.0.2.30", false, "https://192.0.2.30")
	f("http://cms1:8080", false, "")
	f("http://cms1:8080", true, "http://cms1:8080")
	f("ftp://cms1", true, "")
	f("https://u:p@cms1", true, "")
	f("", false, "")
	f("https://", false, "")
}

// A bridge that cannot be scraped is logged once; the others are scraped.
func TestDiscoverBadAddress(t *testing.T) {
	north := newBridge(t)
	linkBridges(map[string]*bridge{northID: north, southID: north})
	north.answers["/system/configuration/cluster"] = "<cluster><uniqueName>name of " + northID + "</uniqueName></cluster>"
	north.answers["/callBridges/"+southID] = `<callBridge><address>gopher://x</address></callBridge>`
	r := newHarness(t, func(c *Config) { c.Discover = true }, north)
	for range 3 {
		assert.Len(t, r.scrape(), 1)
	}
	assert.Equal(t, 1, r.log.FilterMessageSnippet("name it in servers").Len())
}
