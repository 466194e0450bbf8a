// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/ocms"
	"github.com/legato-otel/legato/internal/redact"
)

// maxClipped is what is kept of one value of a line that is too long, in bytes.
const maxClipped = 4 << 10

// writer writes the values of an event as attributes: without secrets, and as UTF-8.
type writer struct {
	m       pcommon.Map
	invalid bool // the line has bytes that are not UTF-8
	clip    bool // the line is too long
}

// text returns a value as it may be kept.
func (w writer) text(value string) string {
	value = redact.Text(value)
	if w.clip && len(value) > maxClipped {
		value = value[:maxClipped]
	}
	if w.invalid || w.clip {
		value = strings.ToValidUTF8(value, "\ufffd")
	}
	return value
}

func (w writer) put(key, value string) {
	if value != "" {
		w.m.PutStr(key, w.text(value))
	}
}

// event writes everything the event says.
func (w writer) event(e *ocms.Event) {
	w.put(names.OCMSService, e.Service)
	w.put(names.OCMSLogger, e.Category.Logger)
	switch e.Kind() {
	case ocms.Request:
		w.m.PutStr(names.OCMSKind, "request")
	case ocms.Response:
		w.m.PutStr(names.OCMSKind, "response")
	case ocms.Generic:
	}
	w.put(names.SIPMethod, e.Method)
	if e.Code > 0 {
		w.m.PutInt(names.SIPCode, int64(e.Code))
	}
	w.put(names.SIPCallID, e.CallID)
	if e.CSeq.Method != "" {
		w.m.PutInt(names.SIPCSeqNumber, int64(e.CSeq.Number))
		w.put(names.SIPCSeqMethod, e.CSeq.Method)
	}
	w.address(e, ocms.From, &e.From, names.OCMSFrom, names.SIPFromName, names.SIPFromTag, names.SIPFromURIPrefix)
	w.address(e, ocms.To, &e.To, names.OCMSTo, names.SIPToName, names.SIPToTag, names.SIPToURIPrefix)
	w.uri(&e.RequestURI, names.SIPURIPrefix)
	w.via(e.Via)
	w.media(e.Media)
	w.put(names.SIPContentType, e.ContentType)
	if e.ContentLength >= 0 {
		w.m.PutInt(names.SIPContentLength, e.ContentLength)
	}
	creation, _ := e.Line.NonEmptyValue(ocms.CreationTime)
	w.put(names.OCMSCreationTime, creation)
	if e.HasOffset {
		w.m.PutInt(names.OCMSTimeZoneOffset, int64(e.Offset))
	} else if text, ok := e.Line.NonEmptyValue(ocms.TimeZoneOffset); ok {
		w.put(names.OCMSTimeZoneOffset, text)
	}
	w.others(e)
	if flags := e.Flags(); flags != 0 {
		list := w.m.PutEmptySlice(names.OCMSFlags)
		for _, name := range flags.AppendNames(nil) {
			list.AppendEmpty().SetStr(name)
		}
	}
}

func (w writer) address(e *ocms.Event, key ocms.Key, a *ocms.Address, raw, name, tag, uri string) {
	text, _ := e.Line.NonEmptyValue(key)
	w.put(raw, text)
	w.put(name, a.Display)
	w.put(tag, a.Tag)
	w.uri(&a.URI, uri)
}

func (w writer) uri(u *ocms.URI, prefix string) {
	w.put(prefix+"."+names.URIOriginal, u.Text)
	w.put(prefix+"."+names.URIScheme, u.Scheme)
	w.put(prefix+"."+names.URIUser, u.User)
	w.put(prefix+"."+names.URIHost, u.Host)
	if u.Port > 0 {
		w.m.PutInt(prefix+"."+names.URIPort, int64(u.Port))
	}
}

func (w writer) via(hops []ocms.Hop) {
	if len(hops) == 0 {
		return
	}
	list := w.m.PutEmptySlice(names.SIPVia)
	list.EnsureCapacity(len(hops))
	for i := range hops {
		list.AppendEmpty().SetStr(w.text(hops[i].Text))
	}
	w.m.PutInt(names.OCMSViaHops, int64(len(hops)))
	w.put(names.OCMSViaBranch, hops[0].Branch)
}

func (w writer) media(streams []ocms.Stream) {
	if len(streams) == 0 {
		return
	}
	lines := w.m.PutEmptySlice(names.OCMSMediaLines)
	for i := range streams {
		lines.AppendEmpty().SetStr(w.text(streams[i].Text))
	}
	types := w.m.PutEmptySlice(names.OCMSMediaTypes)
	for i := range streams {
		types.AppendEmpty().SetStr(w.text(streams[i].Type))
	}
}

// unreadable are the flags of values that have no other attribute.
var unreadable = [ocms.KeyCount]ocms.Flags{
	ocms.StatusCode: ocms.BadStatusCode, ocms.ContentLength: ocms.BadContentLength, ocms.CSeq: ocms.BadCSeq,
}

// others writes what applications added, documented attributes that occur again,
// and values that could not be read: each under a name of its own.
func (w writer) others(e *ocms.Event) {
	for i := range e.Line.Len() {
		a := e.Line.Attribute(i)
		if e.Line.IsDocumented(i) && !e.Flags().Has(unreadable[a.Key]) {
			continue
		}
		key := w.free(w.text(names.OCMSAttribute(a.Name)))
		if redact.Secret(a.Name) && a.Value != "" {
			w.m.PutStr(key, redact.Mark)
			continue
		}
		w.m.PutStr(key, w.text(a.Value))
	}
}

// free returns a name that is not taken: the name itself, or with a suffix.
func (w writer) free(name string) string {
	if _, taken := w.m.Get(name); !taken {
		return name
	}
	name += ".unknown"
	free := name
	for n := 2; ; n++ {
		if _, taken := w.m.Get(free); !taken {
			return free
		}
		free = name + "." + strconv.Itoa(n)
	}
}
