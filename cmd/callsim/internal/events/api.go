// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"crypto/subtle"
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
	"time"
)

// token is an authentication token for WebSockets.
type token struct {
	createdAt time.Time
	uses      int
}

// maxTokens bounds the stored tokens; above it all are deleted.
const maxTokens = 10_000

// useToken counts a use of a token, and reports whether the token is valid.
func (s *server) useToken(text string) bool {
	t, f := s.tokens[text], s.cluster.opts.Faults
	switch {
	case t == nil:
		return false
	case f.TokenLife > 0 && time.Since(t.createdAt) >= f.TokenLife, f.TokenUses > 0 && t.uses >= f.TokenUses:
		delete(s.tokens, text)
		s.account.Faults["token_expired"]++
		return false
	}
	t.uses++
	return true
}

// checkLogin checks the credentials of a request, and answers 401 if they are wrong.
func (s *server) checkLogin(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Set("Connection", "close")
	user, password, _ := r.BasicAuth()
	o := s.cluster.opts
	wanted := o.Password
	if s.cluster.isPast(o.Faults.PasswordLife) {
		wanted += changedPassword
	}
	good := subtle.ConstantTimeCompare([]byte(user+"\x00"+password), []byte(o.User+"\x00"+wanted)) == 1
	if !good {
		s.cluster.mu.Lock()
		s.recordMisuse(BadLogin, "%s %s", r.Method, r.URL.Path)
		s.cluster.mu.Unlock()
		w.Header().Set("WWW-Authenticate", `Basic realm="acano"`)
		w.WriteHeader(http.StatusUnauthorized)
	}
	return good
}

// changedPassword is appended to the password when the fault PasswordLife changes it.
const changedPassword = "-changed"

// serveTokens returns a token in a header, without a body.
func (s *server) serveTokens(w http.ResponseWriter, r *http.Request) {
	if !s.checkLogin(w, r) {
		return
	}
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	if len(s.tokens) >= maxTokens {
		clear(s.tokens)
	}
	text := s.cluster.guid()
	s.tokens[text] = &token{createdAt: time.Now()}
	s.account.Tokens++
	w.Header()["X-Cisco-CMS-Auth-Token"] = []string{text} // the spelling of CMS
	w.WriteHeader(http.StatusOK)
}

// status is the answer of a release 3.7 to GET /api/v1/system/status.
type status struct {
	XMLName              xml.Name `xml:"status"`
	HostID               string   `xml:"hostId"`
	SoftwareVersion      string   `xml:"softwareVersion"`
	UptimeSeconds        int64    `xml:"uptimeSeconds"`
	CDRTime              string   `xml:"cdrTime"`
	Activated            bool     `xml:"activated"`
	ClusterEnabled       bool     `xml:"clusterEnabled"`
	ClusterID            string   `xml:"clusterId"`
	CDRCorrelatorIndex   uint64   `xml:"cdrCorrelatorIndex"`
	CallLegsActive       int      `xml:"callLegsActive"`
	CallLegsMaxActive    int      `xml:"callLegsMaxActive"`
	CallLegsCompleted    int      `xml:"callLegsCompleted"`
	AudioBitRateOutgoing int      `xml:"audioBitRateOutgoing"`
	AudioBitRateIncoming int      `xml:"audioBitRateIncoming"`
	VideoBitRateOutgoing int      `xml:"videoBitRateOutgoing"`
	VideoBitRateIncoming int      `xml:"videoBitRateIncoming"`
}

// Bit rates of a leg, invented.
const (
	audioRate = 33_966 // Bit rates of a leg in bits per second, invented.
	videoRate = 812_448
)

// serveStatus serves the system status.
func (s *server) serveStatus(w http.ResponseWriter, r *http.Request) {
	s.serveXML(w, r, func() any { return s.status() })
}

// serveXML answers a GET with the XML of content's result.
func (s *server) serveXML(w http.ResponseWriter, r *http.Request, content func() any) {
	if !s.checkLogin(w, r) || !s.dawdle(r) {
		return
	}
	if r.Method != http.MethodGet {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	text, err := xml.Marshal(content())
	if err != nil {
		panic(err) // nothing here can fail to be XML
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, `<?xml version="1.0"?>`+string(text)) // no client, no answer
}

// clusterConfiguration is the answer to GET /api/v1/system/configuration/cluster.
type clusterConfiguration struct {
	XMLName    xml.Name `xml:"cluster"`
	UniqueName string   `xml:"uniqueName"`
	LoadLimit  int      `xml:"loadLimit"`
}

// serveCluster serves the bridge's name in its cluster.
func (s *server) serveCluster(w http.ResponseWriter, r *http.Request) {
	s.serveXML(w, r, func() any { return clusterConfiguration{UniqueName: s.stage.Name, LoadLimit: loadLimit} })
}

// callBridges is the answer to GET /api/v1/callBridges.
type callBridges struct {
	XMLName xml.Name     `xml:"callBridges"`
	Total   int          `xml:"total,attr"`
	Page    []callBridge `xml:"callBridge"`
}

type callBridge struct {
	ID   string `xml:"id,attr"`
	Name string `xml:"name"`
}

// maxPage is the largest number of list entries in an answer.
const maxPage = 10

// serveCallBridges lists the bridges of the cluster from an offset. A bridge without a
// cluster lists none.
func (s *server) serveCallBridges(w http.ResponseWriter, r *http.Request) {
	s.serveXML(w, r, func() any {
		var all []callBridge
		for _, b := range s.cluster.stage.bridges {
			if s.stage.CallBridge != "" && b.CallBridge != "" {
				all = append(all, callBridge{b.CallBridge, b.Name})
			}
		}
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset")) // 0 if it is not a number
		from := min(max(offset, 0), len(all))
		return callBridges{Total: len(all), Page: all[from:min(from+maxPage, len(all))]}
	})
}

func (s *server) status() status {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	now, legs := s.now(), s.stage.legs
	st := status{
		HostID: s.hostID, SoftwareVersion: "3.7.1", UptimeSeconds: int64(now.Sub(s.sessionStart()) / time.Second),
		CDRTime: now.UTC().Format("2006-01-02T15:04:05Z"), Activated: true,
		ClusterEnabled: s.stage.CallBridge != "", ClusterID: s.cluster.clusterID, CDRCorrelatorIndex: s.records,
		CallLegsActive: legs.active, CallLegsMaxActive: legs.maxActive, CallLegsCompleted: legs.completed,
		AudioBitRateOutgoing: legs.active * audioRate, AudioBitRateIncoming: legs.active * audioRate,
		VideoBitRateOutgoing: legs.active * videoRate, VideoBitRateIncoming: legs.active * videoRate,
	}
	if !st.ClusterEnabled {
		st.ClusterID = s.hostID // a server alone is a cluster of one
	}
	return st
}
