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

// maxClipped is the longest value that is kept of a line that is too long, in bytes.
const maxClipped = 4 << 10

// attributeWriter writes the values of an event as attributes: without secrets, and as UTF-8.
type attributeWriter struct {
	attributes  pcommon.Map
	invalidUTF8 bool // the line contains bytes that are not UTF-8
	clip        bool // the line is too long: values are cut to maxClipped
}

// sanitize returns a value without secrets, clipped and as UTF-8.
func (w attributeWriter) sanitize(value string) string {
	value = redact.Text(value)
	if w.clip && len(value) > maxClipped {
		value = value[:maxClipped]
	}
	if w.invalidUTF8 || w.clip {
		value = strings.ToValidUTF8(value, "\ufffd")
	}
	return value
}

func (w attributeWriter) putString(key, value string) {
	if value != "" {
		w.attributes.PutStr(key, w.sanitize(value))
	}
}

// writeEvent writes the attributes of an event.
func (w attributeWriter) writeEvent(e *ocms.Event) {
	w.putString(names.OCMSService, e.Service)
	w.putString(names.OCMSLogger, e.Category.Logger)
	switch e.Kind() {
	case ocms.Request:
		w.attributes.PutStr(names.OCMSKind, "request")
	case ocms.Response:
		w.attributes.PutStr(names.OCMSKind, "response")
	case ocms.Generic:
	}
	w.putString(names.SIPMethod, e.Method)
	if e.Code > 0 {
		w.attributes.PutInt(names.SIPCode, int64(e.Code))
	}
	w.putString(names.SIPCallID, e.CallID)
	if e.CSeq.Method != "" {
		w.attributes.PutInt(names.SIPCSeqNumber, int64(e.CSeq.Number))
		w.putString(names.SIPCSeqMethod, e.CSeq.Method)
	}
	w.writeAddress(e, ocms.From, &e.From, names.OCMSFrom, names.SIPFromName, names.SIPFromTag, names.SIPFromURIPrefix)
	w.writeAddress(e, ocms.To, &e.To, names.OCMSTo, names.SIPToName, names.SIPToTag, names.SIPToURIPrefix)
	w.writeURI(&e.RequestURI, names.SIPURIPrefix)
	w.writeVia(e)
	w.writeMedia(e.Media)
	w.putString(names.SIPContentType, e.ContentType)
	if e.ContentLength >= 0 {
		w.attributes.PutInt(names.SIPContentLength, e.ContentLength)
	}
	creation, _ := e.Line.NonEmptyValue(ocms.CreationTime)
	w.putString(names.OCMSCreationTime, creation)
	if e.HasOffset {
		w.attributes.PutInt(names.OCMSTimeZoneOffset, int64(e.Offset))
	} else if text, ok := e.Line.NonEmptyValue(ocms.TimeZoneOffset); ok {
		w.putString(names.OCMSTimeZoneOffset, text)
	}
	w.writeOthers(e)
	if flags := e.Flags(); flags != 0 {
		list := w.attributes.PutEmptySlice(names.OCMSFlags)
		for _, name := range flags.AppendNames(nil) {
			list.AppendEmpty().SetStr(name)
		}
	}
}

func (w attributeWriter) writeAddress(e *ocms.Event, key ocms.Key, a *ocms.Address, raw, name, tag, uri string) {
	text, _ := e.Line.NonEmptyValue(key)
	w.putString(raw, text)
	w.putString(name, a.Display)
	w.putString(tag, a.Tag)
	w.writeURI(&a.URI, uri)
}

func (w attributeWriter) writeURI(u *ocms.URI, prefix string) {
	w.putString(prefix+"."+names.URIOriginal, u.Text)
	w.putString(prefix+"."+names.URIScheme, u.Scheme)
	w.putString(prefix+"."+names.URIUser, u.User)
	w.putString(prefix+"."+names.URIHost, u.Host)
	if u.Port > 0 {
		w.attributes.PutInt(prefix+"."+names.URIPort, int64(u.Port))
	}
}

func (w attributeWriter) writeVia(e *ocms.Event) {
	hops := e.Via
	if len(hops) == 0 {
		return
	}
	list := w.attributes.PutEmptySlice(names.SIPVia)
	list.EnsureCapacity(len(hops))
	for i := range hops {
		list.AppendEmpty().SetStr(w.sanitize(hops[i].Text))
	}
	w.attributes.PutInt(names.OCMSViaHops, int64(len(hops)))
	w.putString(names.OCMSViaBranch, e.Branch)
}

func (w attributeWriter) writeMedia(streams []ocms.Stream) {
	if len(streams) == 0 {
		return
	}
	lines := w.attributes.PutEmptySlice(names.OCMSMediaLines)
	for i := range streams {
		lines.AppendEmpty().SetStr(w.sanitize(streams[i].Text))
	}
	types := w.attributes.PutEmptySlice(names.OCMSMediaTypes)
	for i := range streams {
		types.AppendEmpty().SetStr(w.sanitize(streams[i].Type))
	}
}

// unreadableFlags has, for attributes that are written only if decoded, the flag of a
// value that could not be decoded.
var unreadableFlags = [ocms.KeyCount]ocms.Flags{
	ocms.StatusCode: ocms.BadStatusCode, ocms.ContentLength: ocms.BadContentLength, ocms.CSeq: ocms.BadCSeq,
}

// writeOthers writes attributes that applications added, repeated documented attributes,
// and values that could not be decoded, each under a name of its own.
func (w attributeWriter) writeOthers(e *ocms.Event) {
	for i := range e.Line.Len() {
		a := e.Line.Attribute(i)
		if e.Line.IsFirstDocumented(i) && !e.Flags().Has(unreadableFlags[a.Key]) {
			continue
		}
		key := w.unusedName(w.sanitize(names.OCMSAttribute(a.Name)))
		if redact.IsSecretName(a.Name) && a.Value != "" {
			w.attributes.PutStr(key, redact.Mark)
			continue
		}
		w.attributes.PutStr(key, w.sanitize(a.Value))
	}
}

// unusedName returns the name, with a suffix if an attribute has it already.
func (w attributeWriter) unusedName(name string) string {
	if _, taken := w.attributes.Get(name); !taken {
		return name
	}
	name += ".unknown"
	free := name
	for n := 2; ; n++ {
		if _, taken := w.attributes.Get(free); !taken {
			return free
		}
		free = name + "." + strconv.Itoa(n)
	}
}
