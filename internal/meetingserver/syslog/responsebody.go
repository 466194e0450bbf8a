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

// rootEndFinder finds the end of the root element of an XML document that comes in
// pieces. It parses only the ends of tags; parseResponse parses the complete document.
type rootEndFinder struct {
	state rootState
	quote byte
	slash bool // the last byte within the tag was a slash
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

// write scans the next piece.
func (e *rootEndFinder) write(piece string) {
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
			e.inStartTagByte(c)
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

func (e *rootEndFinder) inStartTagByte(c byte) {
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

// response holds the parts of a response body that become attributes.
type response struct {
	object    string // name of the root element
	total     int64  // attribute total of a collection, else -1
	elements  []Pair // of an object, or of a collection with one object
	objectIDs []Pair // ids of the same object, by attribute name
	reasons   []string
	hadSecret bool // a secret was removed
	broken    bool
}

// parseResponse parses a body. Of a damaged body it returns the part in front of the
// damage and sets broken.
func parseResponse(document string) response {
	r := responseReader{response: response{total: -1}}
	r.broken = r.read(document) != nil
	if r.objects > 1 { // a page of objects: none of them is the object of the request
		r.elements, r.objectIDs = nil, nil
	}
	return r.response
}

// responseReader fills a response from the elements of a document.
type responseReader struct {
	response

	path        []string
	text        string
	objectDepth int // how many elements are above those of the object
	secretDepth int // depth of the element that holds a secret, 0 outside of one
	objects     int // of a collection
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
			r.startElement(s.Name, s.Attributes)
		case kind == xmlscan.Text:
			r.text += s.Text
		case kind == xmlscan.EndElement:
			r.endElement()
		default:
			return nil
		}
	}
}

func (r *responseReader) startElement(name string, attributes []xmlscan.Attribute) {
	r.path = append(r.path, name)
	r.text = ""
	depth := len(r.path)
	if r.secretDepth == 0 && redact.IsSecretName(name) {
		r.secretDepth, r.hadSecret = depth, true
	}
	id := ""
	for _, a := range attributes {
		switch {
		case a.Name == "total" && depth == 1:
			r.total, r.objectDepth = parseTotal(a.Value), 1
		case a.Name == "id" && isObjectID(a.Value):
			id = a.Value
		}
	}
	if depth == 1 {
		r.object = clip(wireName(name), maxParameterName)
	}
	switch {
	case depth == 2 && r.path[0] == "failureDetails" && len(r.reasons) < maxReasons:
		r.reasons = append(r.reasons, clip(wireName(name), maxParameterName))
	case depth == r.objectDepth+1:
		if r.objectDepth == 1 {
			r.objects++
		}
		if key := responseIDs[name]; key != "" && id != "" {
			r.addID(key, id)
		}
	}
}

// endElement stores the text of an element without children.
func (r *responseReader) endElement() {
	depth, text := len(r.path), strings.Trim(r.text, " \t\r\n")
	name := r.path[depth-1]
	r.text = ""
	r.path = r.path[:depth-1]
	switch {
	case r.secretDepth == depth:
		r.secretDepth = 0
		return
	case r.secretDepth != 0 || depth <= r.objectDepth+1 || text == "" || len(r.elements) == maxElements:
		return
	}
	if key := referenceIDs[name]; key != "" && isGUID(text) {
		r.addID(key, text)
	}
	if keptElements[name] {
		value, had := removeValueSecrets(name, text)
		r.hadSecret = r.hadSecret || had
		r.elements = append(r.elements, Pair{strings.Join(append(r.path[r.objectDepth+1:len(r.path):len(r.path)], name), "/"), value})
	}
}

func (r *responseReader) addID(key, id string) {
	for i := range r.objectIDs {
		if r.objectIDs[i].Name == key {
			return
		}
	}
	r.objectIDs = append(r.objectIDs, Pair{key, strings.ToLower(id)})
}

func parseTotal(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// wireName returns name if it is a word as the API has, else "_OTHER".
func wireName(name string) string {
	if name == "" || !isPlainObject(name) || strings.Contains(name, " ") {
		return names.Other
	}
	return name
}

const (
	maxElements = 32
	maxReasons  = 8
)

// responseIDs maps objects, and referenceIDs elements that refer to objects, to the
// attributes that call detail records have for the id.
var (
	responseIDs = map[string]string{
		"call": names.CallID, "callLeg": names.CallLegID, "coSpace": names.CoSpaceID, "participant": names.ParticipantID, "tenant": names.TenantID,
	}
	referenceIDs = map[string]string{
		"call": names.CallID, "callLeg": names.CallLegID, "coSpace": names.CoSpaceID, "tenant": names.TenantID, "callCorrelator": names.CallCorrelator,
	}
)

// keptElements are the elements with the identity and state of an object. cmsapi reports
// the statistics, and call detail records have the rest.
var keptElements = func() map[string]bool {
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
