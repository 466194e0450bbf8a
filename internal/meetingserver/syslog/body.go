// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strconv"
	"strings"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/redact"
	"github.com/legato-otel/legato/internal/scan/xmlscan"
)

// rootEnd finds the end of an XML document's root element in pieces of the document.
// It knows only what ends a tag: the document is read when it is complete.
type rootEnd struct {
	state rootState
	quote byte
	slash bool // the last character in a tag was a slash
	depth int
	done  bool
}

type rootState uint8

const (
	inText rootState = iota
	atTag            // behind "<"
	inStartTag
	inEndTag
	inOther // a declaration, comment or instruction: up to ">"
)

// add takes the next piece.
func (e *rootEnd) add(piece string) {
	for i := 0; i < len(piece) && !e.done; i++ {
		c := piece[i]
		switch e.state {
		case inText:
			if c == '<' {
				e.state = atTag
			}
		case atTag:
			e.quote, e.slash = 0, false
			switch c {
			case '/':
				e.state = inEndTag
			case '?', '!':
				e.state = inOther
			default:
				e.state = inStartTag
			}
		case inStartTag:
			e.startTag(c)
		case inEndTag:
			if c == '>' {
				e.state = inText
				e.depth--
				e.done = e.depth <= 0
			}
		case inOther:
			if c == '>' {
				e.state = inText
			}
		}
	}
}

func (e *rootEnd) startTag(c byte) {
	switch {
	case e.quote != 0:
		if c == e.quote {
			e.quote = 0
		}
	case c == '"' || c == '\'':
		e.quote = c
	case c == '>':
		e.state = inText
		if !e.slash {
			e.depth++
		}
		e.done = e.depth == 0
	}
	e.slash = c == '/'
}

// response is what is read of a response's body.
type response struct {
	object   string // the root element
	total    int64  // of a collection, -1 if it is none
	elements []Pair // of the only object
	ids      []Pair // of the only object, under the names of call detail records
	reasons  []string
	had      bool // a secret was in it
	broken   bool
}

// readResponse reads a body. Of a damaged one it reads what stands in front of the
// damage.
func readResponse(document string) response {
	r := responseReader{response: response{total: -1}}
	r.broken = r.read(document) != nil
	if r.objects > 1 { // a page of many: none of them is the request's object
		r.elements, r.ids = nil, nil
	}
	return r.response
}

// responseReader walks over a document.
type responseReader struct {
	response

	path    []string
	text    string
	base    int // how many elements are above those of the object
	secret  int // depth of the element that holds a secret, 0 outside of one
	objects int // of a collection
}

func (r *responseReader) read(document string) error {
	var s xmlscan.Scanner
	s.Reset(document, xmlscan.DefaultLimits)
	for {
		kind, err := s.Next()
		switch {
		case err != nil:
			return err
		case kind == xmlscan.StartElement:
			r.start(s.Name, s.Attributes)
		case kind == xmlscan.Text:
			r.text += s.Text
		case kind == xmlscan.EndElement:
			r.end()
		default:
			return nil
		}
	}
}

func (r *responseReader) start(name string, attributes []xmlscan.Attribute) {
	r.path = append(r.path, name)
	r.text = ""
	depth := len(r.path)
	if r.secret == 0 && redact.Secret(name) {
		r.secret, r.had = depth, true
	}
	id := ""
	for _, a := range attributes {
		switch {
		case a.Name == "total" && depth == 1:
			r.total, r.base = parseTotal(a.Value), 1
		case a.Name == "id" && isObjectID(a.Value):
			id = a.Value
		}
	}
	if depth == 1 {
		r.object = clip(plain(name), maxParameterName)
	}
	switch {
	case depth == 2 && r.path[0] == "failureDetails" && len(r.reasons) < maxReasons:
		r.reasons = append(r.reasons, clip(plain(name), maxParameterName))
	case depth == r.base+1:
		if r.base == 1 {
			r.objects++
		}
		if key := responseIDs[name]; key != "" && id != "" {
			r.putID(key, id)
		}
	}
}

// end reads an element without children.
func (r *responseReader) end() {
	depth, text := len(r.path), strings.Trim(r.text, " \t\r\n")
	name := r.path[depth-1]
	r.text = ""
	r.path = r.path[:depth-1]
	switch {
	case r.secret == depth:
		r.secret = 0
		return
	case r.secret != 0 || depth <= r.base+1 || text == "" || len(r.elements) == maxElements:
		return
	}
	if key := referenceIDs[name]; key != "" && isGUID(text) {
		r.putID(key, text)
	}
	if wanted[name] {
		value, had := cleanValue(name, text)
		r.had = r.had || had
		r.elements = append(r.elements, Pair{strings.Join(append(r.path[r.base+1:len(r.path):len(r.path)], name), "/"), value})
	}
}

func (r *responseReader) putID(key, id string) {
	for i := range r.ids {
		if r.ids[i].Name == key {
			return
		}
	}
	r.ids = append(r.ids, Pair{key, strings.ToLower(id)})
}

func parseTotal(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// plain returns a name of the wire if it is one, and else "_OTHER".
func plain(name string) string {
	if name == "" || !isPlainObject(name) || strings.Contains(name, " ") {
		return names.Other
	}
	return name
}

const (
	maxElements = 32
	maxReasons  = 8
)

// responseIDs are the names that call detail records have for the id of an object,
// and referenceIDs those for an element that holds such an id.
var (
	responseIDs = map[string]string{
		"call": names.CallID, "callLeg": names.CallLegID, "coSpace": names.CoSpaceID, "participant": names.ParticipantID, "tenant": names.TenantID,
	}
	referenceIDs = map[string]string{
		"call": names.CallID, "callLeg": names.CallLegID, "coSpace": names.CoSpaceID, "tenant": names.TenantID, "callCorrelator": names.CallCorrelator,
	}
)

// wanted are the elements of an object that tell what it is and what state it is in.
// Figures of a moment are cmsapi's, and call detail records have the rest.
var wanted = func() map[string]bool {
	all := make(map[string]bool)
	for name := range strings.FieldsSeq(`
name uri secondaryUri callId coSpace call callLeg callCorrelator tenant callBridge callBridgeName callBridgeGroup participant cdrTag meetingScheduler
remoteParty originalUri sipCallId direction type subType state status reason failureReason callType locked recording streaming endpointRecording
nonMemberAccess numCallLegs durationSeconds autoGenerated cospaceBulkParameterSet coSpaceBulkParameterSet
address sipDomain uniqueName softwareVersion cdrTime uptimeSeconds clusterEnabled clusterId hostId mediaProcessingLoad`) {
		all[name] = true
	}
	return all
}()
