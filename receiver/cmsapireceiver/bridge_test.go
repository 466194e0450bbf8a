// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	username = "api"
	password = "correct-horse-battery"
	northID  = "d80df859-cbc0-44ee-8611-449ab1bf39d7"
	southID  = "fdfa7d72-d206-4e33-82c1-d00a347bf752"
)

// fixture is an answer that was recorded or is documented.
func fixture(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"../../testdata/cms-api", "../../testdata/field/cms-api"} {
		if body, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return string(body)
		}
	}
	require.Fail(t, "no fixture "+name)
	return ""
}

// bridge plays the API of a Call Bridge.
type bridge struct {
	server *httptest.Server

	mu       sync.Mutex
	password string
	answers  map[string]string // by path below /api/v1
	statuses map[string]int    // likewise; "" for all
	legs     []string          // ids
	alarmed  map[string]bool
	page     int
	details  map[string]string // of legs, by id; otherwise that of a fixture
	requests []string
}

func newBridge(t *testing.T) *bridge {
	t.Helper()
	b := &bridge{
		password: password, page: 10, statuses: map[string]int{}, alarmed: map[string]bool{}, details: map[string]string{},
		answers: map[string]string{
			"/system/status":                fixture(t, "system-status.xml"),
			"/system/alarms":                fixture(t, "system-alarms.xml"),
			"/system/load":                  fixture(t, "load.xml"),
			"/system/database":              fixture(t, "system-database-single.xml"),
			"/system/licensing":             fixture(t, "licensing.xml"),
			"/system/configuration/cluster": fixture(t, "system-configuration-cluster.xml"),
			"/system/cdrReceivers":          fixture(t, "cdrReceivers.xml"),
			"/callBridges":                  fixture(t, "callBridges.xml"),
			"/callBridges/" + northID:       fixture(t, "callBridge-detail.xml"),
			"/calls":                        fixture(t, "calls-page-1.xml"),
			"/participants":                 fixture(t, "participants.xml"),
			"/coSpaces":                     fixture(t, "coSpaces.xml"),
		},
	}
	b.server = httptest.NewServer(b)
	t.Cleanup(b.server.Close)
	return b
}

func (b *bridge) set(change func(*bridge)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

// asked returns the requests since the last call.
func (b *bridge) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.requests = nil }()
	return b.requests
}

func (b *bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w.Header().Set("Connection", "close")
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	b.requests = append(b.requests, strings.TrimPrefix(r.URL.RequestURI(), "/api/v1"))
	user, given, _ := r.BasicAuth()
	status := b.statuses[path]
	if all := b.statuses[""]; all != 0 {
		status = all
	}
	body, known := b.answers[path]
	switch {
	case user != username || given != b.password:
		w.Header().Set("WWW-Authenticate", `Basic realm="acano"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	case status != 0:
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return
	case known:
	case path == "/callLegs":
		body = b.list(r)
	case strings.HasPrefix(path, "/callLegs/"):
		body = b.leg(strings.TrimPrefix(path, "/callLegs/"))
	}
	if body == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, body)
}

// list is a page of the legs, of the server's own size.
func (b *bridge) list(r *http.Request) string {
	var all []string
	for _, id := range b.legs {
		if r.URL.Query().Get("alarms") == "" || b.alarmed[id] {
			all = append(all, id)
		}
	}
	offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
	from := min(offset, len(all))
	var out strings.Builder
	fmt.Fprintf(&out, `<?xml version="1.0"?><callLegs total="%d">`, len(all))
	for _, id := range all[from:min(from+b.page, len(all))] {
		alarms := ""
		if b.alarmed[id] {
			alarms = "<alarms><packetLoss/></alarms>"
		}
		fmt.Fprintf(&out, `<callLeg id="%s">%s</callLeg>`, id, alarms)
	}
	return out.String() + "</callLegs>"
}

func (b *bridge) leg(id string) string {
	for _, own := range b.legs {
		if own == id {
			if detail, own := b.details[id]; own {
				return detail
			}
			return `<callLeg id="` + id + `"><status><rxAudio><jitter>20</jitter></rxAudio></status></callLeg>`
		}
	}
	return ""
}

// addLegs adds legs with ids of a prefix and a number.
func (b *bridge) addLegs(prefix string, n int) {
	for i := range n {
		b.legs = append(b.legs, fmt.Sprintf("%s-%04d", prefix, i))
	}
}

// details are the legs whose details a list of requests asks for.
func details(requests []string) (ids []string) {
	for _, r := range requests {
		if id, is := strings.CutPrefix(r, "/callLegs/"); is {
			ids = append(ids, id)
		}
	}
	return ids
}
