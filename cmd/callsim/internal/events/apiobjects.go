// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/xml"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/legato-otel/legato/cmd/callsim/internal/scenario"
)

// liveLeg is an open leg of any kind.
type liveLeg struct {
	scenario.Leg
	began time.Time // on the bridge's clock
}

// loadOfLeg is the share of a leg in the load of the media processing, and loadLimit the
// configured limit, in the same units; invented.
const (
	loadOfLeg = 600
	loadLimit = 96_000
)

// collection is a page of any collection. Its items name their element.
type collection struct {
	XMLName xml.Name
	Total   int   `xml:"total,attr"`
	Page    []any `xml:",any"`
}

// page returns the page of a collection at the request's offset, with at most maxPage
// objects or the request's limit.
func (s *server) page(name string, all []any, query url.Values) collection {
	offset, _ := strconv.Atoi(query.Get("offset")) // 0 if it is not a number
	limit, err := strconv.Atoi(query.Get("limit"))
	most := maxPage
	if n := s.cluster.opts.Faults.APIPage; n > 0 {
		most = n
	}
	if err == nil && limit >= 0 {
		most = min(most, limit)
	}
	from := min(max(offset, 0), len(all))
	return collection{XMLName: xml.Name{Local: name}, Total: len(all), Page: all[from:min(from+most, len(all))]}
}

// serveAPI adds the API objects that monitoring systems read.
func (s *server) serveAPI(mux *http.ServeMux) {
	for path, content := range map[string]func(*http.Request) any{
		"/system/alarms":    func(r *http.Request) any { return s.page("alarms", s.activeAlarms(), r.URL.Query()) },
		"/system/load":      func(*http.Request) any { return s.load() },
		"/system/database":  func(*http.Request) any { return s.database() },
		"/system/licensing": func(*http.Request) any { return s.licensing() },
		"/callBridges/{id}": func(r *http.Request) any { return s.callBridge(r.PathValue("id")) },
		"/calls":            func(r *http.Request) any { return s.page("calls", s.calls(), r.URL.Query()) },
		"/calls/{id}":       func(r *http.Request) any { return s.call(r.PathValue("id")) },
		"/callLegs":         s.callLegs,
		"/callLegs/{id}":    func(r *http.Request) any { return s.callLeg(r.PathValue("id")) },
		"/participants":     func(r *http.Request) any { return s.page("participants", s.participants(), r.URL.Query()) },
		"/coSpaces":         func(r *http.Request) any { return s.page("coSpaces", s.coSpaces(), r.URL.Query()) },
	} {
		mux.HandleFunc("/api/v1"+path, func(w http.ResponseWriter, r *http.Request) { s.serveObject(w, r, s.unlessOld(path, content)) })
	}
	mux.HandleFunc("/api/v1/system/cdrReceivers", s.serveReceivers)
	mux.HandleFunc("/api/v1/system/cdrReceivers/{id}", s.serveReceiver)
}

// failure is the answer to a request for a missing object.
type failure struct {
	XMLName xml.Name `xml:"failureDetails"`
	Reason  struct {
		XMLName xml.Name
	}
}

func noSuch(object string) failure { return failed(object + "DoesNotExist") }

func failed(reason string) failure {
	var f failure
	f.Reason.XMLName.Local = reason
	return f
}

// unlessOld returns the content function, or an error answer if the simulated release does
// not know the object.
func (s *server) unlessOld(path string, content func(*http.Request) any) func(*http.Request) any {
	if s.cluster.opts.Faults.APIOld && (path == "/system/licensing" || path == "/system/database") {
		return func(*http.Request) any { return failed("unrecognisedObject") }
	}
	return content
}

// serveObject answers with the result of content, or with a fault.
func (s *server) serveObject(w http.ResponseWriter, r *http.Request, content func(*http.Request) any) {
	if !s.checkLogin(w, r) || !s.dawdle(r) {
		return
	}
	s.cluster.mu.Lock()
	spoilt := s.spoil(w)
	var answer any
	if !spoilt {
		answer = content(r)
	}
	s.cluster.mu.Unlock()
	if spoilt {
		return
	}
	text, err := xml.Marshal(answer)
	if err != nil {
		panic(err) // these types always encode
	}
	w.Header().Set("Content-Type", "text/xml")
	if _, missing := answer.(failure); missing {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = w.Write(append([]byte(xml.Header[:len(`<?xml version="1.0"`)]+"?>"), text...)) // no client, no answer
}

// dawdle delays an answer by the fault APISlow. It returns false if the client left.
func (s *server) dawdle(r *http.Request) bool {
	slow := s.cluster.opts.Faults.APISlow
	if slow == 0 {
		return true
	}
	s.cluster.mu.Lock()
	wait := time.Duration(s.cluster.chance.Int64N(int64(slow)))
	s.cluster.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.cluster.ctx.Done():
	}
	return false
}

// spoil answers with a fault by chance; the caller holds the lock.
func (s *server) spoil(w http.ResponseWriter) bool {
	f := s.cluster.opts.Faults
	switch {
	case s.cluster.chance.Float64() < f.APIBusy:
		s.account.Faults["api_busy"]++
		w.WriteHeader(http.StatusServiceUnavailable)
	case s.cluster.chance.Float64() < f.APIHTML:
		s.account.Faults["api_html"]++
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><head><title>502</title></head><body>Bad Gateway<br></body></html>"))
	default:
		return false
	}
	return true
}

type loadObject struct {
	XMLName xml.Name `xml:"load"`
	Load    int      `xml:"mediaProcessingLoad"`
}

func (s *server) load() any { return loadObject{Load: len(s.stage.openLegs) * loadOfLeg} }

type databaseNode struct {
	XMLName    xml.Name `xml:"node"`
	Hostname   string   `xml:"hostname"`
	Up         bool     `xml:"up"`
	SyncBehind int      `xml:"syncBehind"`
	Master     bool     `xml:"master"`
}

type databaseObject struct {
	XMLName   xml.Name `xml:"database"`
	Clustered string   `xml:"clustered,attr"`
	Cluster   *struct {
		Total int            `xml:"totalNodes"`
		InUse string         `xml:"nodeInUse"`
		Nodes []databaseNode `xml:"node"`
	} `xml:"cluster"`
}

// database returns the database cluster: one node on each bridge; the first one is the
// primary. A node is down if its bridge is down or by the fault DatabaseDown.
func (s *server) database() any {
	d := databaseObject{Clustered: "disabled"}
	bridges := s.clustered()
	if s.stage.CallBridge == "" || len(bridges) < 2 {
		return d
	}
	d.Clustered, d.Cluster = "enabled", new(struct {
		Total int            `xml:"totalNodes"`
		InUse string         `xml:"nodeInUse"`
		Nodes []databaseNode `xml:"node"`
	})
	d.Cluster.Total, d.Cluster.InUse = len(bridges), bridges[0].stage.Name
	down := -1 // none
	if s.cluster.opts.Faults.DatabaseDown {
		down = len(bridges) - 1
	}
	for i, other := range bridges {
		node := databaseNode{Hostname: other.stage.Name, Up: other.outages == 0 && i != down, Master: i == 0}
		if !node.Up {
			node.SyncBehind = -1
		}
		d.Cluster.Nodes = append(d.Cluster.Nodes, node)
	}
	return d
}

// clustered returns the servers of the bridges in the cluster.
func (s *server) clustered() (list []*server) {
	for _, other := range s.cluster.servers {
		if other.stage.CallBridge != "" {
			list = append(list, other)
		}
	}
	return list
}

type feature struct {
	XMLName xml.Name
	Status  string `xml:"status"`
	Expiry  string `xml:"expiry,omitempty"`
}

type licensingObject struct {
	XMLName  xml.Name  `xml:"licensing"`
	Features []feature `xml:"features>feature"`
}

// licensing is the same on each bridge. Faults.LicenceDays sets the expiry of the
// Call Bridge's licence, in days of the simulated clock.
func (s *server) licensing() any {
	expiry := "2100-Jan-01"
	if days := s.cluster.opts.Faults.LicenceDays; days > 0 {
		expiry = s.now().UTC().AddDate(0, 0, days).Format("2006-Jan-02")
	}
	return licensingObject{Features: []feature{
		{xml.Name{Local: "callBridge"}, "activated", expiry},
		{xml.Name{Local: "webBridge"}, "activated", "2100-Jan-01"},
		{xml.Name{Local: "recording"}, "activated", ""},
		{xml.Name{Local: "customizations"}, "noLicense", ""},
	}}
}

type callBridgeObject struct {
	XMLName xml.Name `xml:"callBridge"`
	ID      string   `xml:"id,attr"`
	Name    string   `xml:"name"`
	Address string   `xml:"address"`
}

func (s *server) callBridge(id string) any {
	for _, other := range s.clustered() {
		if other.stage.CallBridge == id && s.stage.CallBridge != "" {
			scheme := "http://"
			if s.cluster.opts.TLS != nil {
				scheme = "https://"
			}
			return callBridgeObject{ID: id, Name: other.stage.Name, Address: scheme + other.address}
		}
	}
	return noSuch("callBridge")
}

type callObject struct {
	XMLName    xml.Name `xml:"call"`
	ID         string   `xml:"id,attr"`
	Name       string   `xml:"name"`
	CoSpace    string   `xml:"coSpace,omitempty"`
	Correlator string   `xml:"callCorrelator"`
	*callDetail
}

type callDetail struct {
	Type      string `xml:"callType"`
	Seconds   int64  `xml:"durationSeconds"`
	Legs      int    `xml:"numCallLegs"`
	Local     int    `xml:"numParticipantsLocal"`
	Remote    int    `xml:"numParticipantsRemote"`
	Instances int    `xml:"numDistributedInstances"`
	Locked    bool   `xml:"locked"`
	Recording bool   `xml:"recording"`
	Streaming bool   `xml:"streaming"`
}

func (s *server) calls() (list []any) {
	for _, c := range s.stage.calls {
		list = append(list, callObject{ID: c.ID, Name: c.Name, CoSpace: c.CoSpace, Correlator: c.Correlator})
	}
	return list
}

func (s *server) call(id string) any {
	i := slices.IndexFunc(s.stage.calls, func(c *call) bool { return c.ID == id })
	if i < 0 {
		return noSuch("call")
	}
	c := s.stage.calls[i]
	legs := 0
	for _, l := range s.stage.openLegs {
		if l.Call() == id {
			legs++
		}
	}
	return callObject{ID: c.ID, Name: c.Name, CoSpace: c.CoSpace, Correlator: c.Correlator, callDetail: &callDetail{
		Type: string(c.Type), Seconds: int64(s.now().Sub(c.began) / time.Second), Legs: legs,
		Local: len(c.people), Remote: len(c.roster()) - len(c.people), Instances: len(c.meeting.calls) - 1,
		Locked: c.meeting.settings.Locked, Recording: c.recordings > 0, Streaming: c.streamings > 0,
	}}
}

type participantObject struct {
	XMLName    xml.Name `xml:"participant"`
	ID         string   `xml:"id,attr"`
	Name       string   `xml:"name"`
	Call       string   `xml:"call"`
	CallBridge string   `xml:"callBridge,omitempty"` // of a remote one
	State      string   `xml:"status>state"`
}

// participants returns the participants of the calls on the bridge, including those on
// other bridges.
func (s *server) participants() (list []any) {
	for _, c := range s.stage.calls {
		for _, p := range c.roster() {
			one := participantObject{ID: p.leg.Participant, Name: p.behavior.Name, Call: c.ID, State: string(p.behavior.State(p.leg.Phase))}
			if p.bridge != s.stage {
				one.CallBridge = p.bridge.CallBridge
			}
			list = append(list, one)
		}
	}
	return list
}

type coSpaceObject struct {
	XMLName xml.Name `xml:"coSpace"`
	ID      string   `xml:"id,attr"`
}

// coSpaces returns the coSpaces with a meeting in the cluster.
func (s *server) coSpaces() (list []any) {
	var ids []string
	for _, c := range s.cluster.stage.calls {
		if c.CoSpace != "" {
			ids = append(ids, c.CoSpace)
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		list = append(list, coSpaceObject{ID: id})
	}
	return list
}

// seedOf is a number that belongs to an identifier.
func seedOf(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // it cannot fail
	return h.Sum64()
}
