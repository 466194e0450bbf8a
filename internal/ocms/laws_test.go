// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocms

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requireLaws requires the properties that every line has.
func requireLaws(t *testing.T, d *Decoder, text string) {
	t.Helper()
	e, err := d.Decode(text)
	trimmed := strings.TrimRight(text, "\r\n")
	require.Equal(t, trimmed, e.Line.Text)
	if e.Line.Len() == 0 {
		require.ErrorIs(t, err, ErrNoAttribute)
		return
	}
	require.Equal(t, trimmed, e.Line.Join(), "the parts are the line")
	require.LessOrEqual(t, e.Line.Len(), MaxAttributes)
	require.LessOrEqual(t, len(e.Via), MaxHops)
	require.LessOrEqual(t, len(e.Media), MaxStreams)
	require.Equal(t, !utf8.ValidString(trimmed), e.Flags().Has(InvalidText))
	if len(e.Via) > 0 {
		require.Equal(t, e.Via[0].Parameter("branch"), e.Branch)
	}
	requireAddress(t, e, From, e.From, BadFrom)
	requireAddress(t, e, To, e.To, BadTo)
	seen := make(map[Key]bool)
	for i := range e.Line.Len() {
		a := e.Line.Attribute(i)
		require.Equal(t, KeyOf(a.Name), a.Key)
		require.Equal(t, !seen[a.Key], a.Key != Unknown && e.Line.IsFirst(i) || a.Key == Unknown && !seen[a.Key])
		if a.Key != Unknown {
			seen[a.Key] = true
		}
	}
	again, _ := decode(text)
	require.Equal(t, again.Flags(), e.Flags(), "a decoder keeps nothing of the line before")
}

// requireAddress requires that the brackets that the splitter found change nothing.
func requireAddress(t *testing.T, e *Event, key Key, got Address, flag Flags) {
	t.Helper()
	text, set := e.Line.NonEmptyValue(key)
	if !set {
		require.Zero(t, got)
		return
	}
	want, ok := ParseAddress(text)
	require.Equal(t, want, got)
	require.Equal(t, !ok, e.Flags().Has(flag))
}

// The last of too many attributes may be an address.
func TestAddressAsLastAttribute(t *testing.T) {
	for _, address := range []string{"<sip:a@h>;tag=1", "sip:a@h", `"A" <sip:a@h`, ""} {
		requireLaws(t, new(Decoder), "To=<sip:b@h>,"+strings.Repeat("x=<y>,", MaxAttributes-2)+"From="+address)
	}
}

// FuzzDecode joins the parts of every line, and decodes lines of two
// configurations.
func FuzzDecode(f *testing.F) {
	for _, file := range fixtures(f) {
		for _, line := range lines(f, file) {
			f.Add(line)
		}
	}
	f.Add(`From=Smith, Via=Bob <sip:b@h>;tag=1,x="a\"b,To=<`)
	f.Add(`From="x,To=y",a=1,"z`)
	f.Add("<134>1 2024-06-10T09:00:03Z host app - - [a=\"b\"] Method=BYE,Service=eventlogger.a")
	plain, exact := new(Decoder), &Decoder{Splitter: *NewSplitter([]string{"foo", "x"}), CreationTimeIsLocal: true}
	f.Fuzz(func(t *testing.T, text string) {
		requireLaws(t, plain, text)
		e, _ := exact.Decode(text)
		if e.Line.Len() > 0 {
			require.Equal(t, strings.TrimRight(text, "\r\n"), e.Line.Join())
		}
		header, line := CutSyslogHeader(text)
		require.Equal(t, text, header.Text+line)
		IsLoggingXML(text)
	})
}

// generator makes random values as OCMS, phones and applications write them.
type generator struct{ *rand.Rand }

func (d generator) one(of ...string) string { return of[d.IntN(len(of))] }

func (d generator) word() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789.-_~"
	b := make([]byte, 1+d.IntN(8))
	for i := range b {
		b[i] = letters[d.IntN(len(letters))]
	}
	return string(b)
}

func (d generator) quoted() string {
	var b strings.Builder
	b.WriteByte('"')
	for range d.IntN(6) {
		b.WriteString(d.one("a", "Doe, Jane", ",To=x", "=", `\"`, `\\`, "<", ">", "@", ";", " ", "ü"))
	}
	b.WriteByte('"')
	return b.String()
}

func (d generator) host() string {
	return d.one("example.test", "192.0.2.1", "[2001:db8::1]", "h:5060")
}

func (d generator) address() string {
	uri := d.one("sip:", "sips:") + d.one("", d.word()+"@", d.word()+",x=1@", "+49;a=b@") + d.host() + d.one("", ";user=phone", "?Subject=a%2Cb")
	name := d.one("", d.quoted()+" ", d.word()+" ", "Bond, James ", "O'Neil ")
	return name + "<" + uri + ">" + d.one("", ";tag="+d.word(), ";tag=a=1")
}

func (d generator) via() string {
	var b strings.Builder
	for i := range 1 + d.IntN(4) {
		if i > 0 {
			b.WriteString(d.one("; ", ";", ", "))
		}
		b.WriteString("SIP/2.0/" + d.one("UDP", "TCP", "TLS") + " " + d.host() + ";branch=z9hG4bK" + d.word() + d.one("", ";rport", ";received=192.0.2.1"))
	}
	return b.String()
}

func (d generator) value(k Key) string {
	switch k {
	case To, From:
		return d.one("", "null", d.address(), d.address(), d.address())
	case Via:
		return d.via()
	case CallID:
		return d.one(d.word()+"@"+d.word(), `id<"odd>/[x]{y}@host`, "2001:db8::1", `a"b`)
	case CSeq:
		return strconv.FormatUint(uint64(d.Uint32()), 10) + " INVITE"
	case Media:
		return d.one("", "audio 49170 RTP/AVP 0 8;video 51372 RTP/AVP 31", "audio 0 RTP/SAVP 0")
	case ContentType:
		return d.one("", "application/sdp", `multipart/mixed;boundary="a,b=c"`)
	case RequestURI:
		return "sip:" + d.one(d.word(), "bob,x=1", "a;b=c?d") + "@" + d.host() + d.one("", ";transport=TCP")
	case Service:
		return "eventlogger." + d.word() + "A." + d.one("REQUEST.INVITE", "RESPONSE.INVITE.200", "own.category")
	case StatusCode:
		return strconv.Itoa(100 + d.IntN(600))
	case TimeZoneOffset:
		return d.one("0", "120", "-300", "")
	case CreationTime:
		return time.UnixMilli(d.Int64N(4e12)).UTC().Format("2006-01-02T15:04:05.000Z")
	case ContentLength:
		return d.one("", "0", "392")
	case Method:
		return "INVITE"
	default:
		return d.one("", "bar", "a=b;c=d", "monthly, soft limit", d.quoted(), "<a,b=c>")
	}
}

// A map of attributes that is written in any order is decoded to the same map.
func TestRandomMaps(t *testing.T) {
	d := generator{rand.New(rand.NewPCG(1, 2))}
	var decoder Decoder
	for range 20_000 {
		want := make(map[string]string)
		for k := Unknown + 1; k < KeyCount; k++ {
			if d.IntN(8) > 0 {
				want[k.String()] = d.value(k)
			}
		}
		want[Service.String()] = d.value(Service)
		for range d.IntN(4) {
			want["k"+strings.ReplaceAll(d.word(), "~", "-")] = d.value(Unknown)
		}
		order := slices.Collect(maps.Keys(want))
		d.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		var text strings.Builder
		for i, name := range order {
			if i > 0 {
				text.WriteByte(',')
			}
			text.WriteString(name + "=" + want[name])
		}
		e, err := decoder.Decode(text.String())
		require.NoError(t, err)
		got := make(map[string]string)
		for i := range e.Line.Len() {
			a := e.Line.Attribute(i)
			got[a.Name] = a.Value
		}
		require.Equal(t, want, got, text.String())
		require.False(t, e.Flags().Has(DuplicateKey|UnbalancedQuote|TooManyAttributes), "%v: %s", e.Flags().AppendNames(nil), text.String())
		bad := BadFrom | BadTo | BadVia | BadRequestURI | BadMedia | BadCSeq | BadStatusCode | BadContentLength | BadTimeZoneOffset
		require.False(t, e.Flags().Has(bad), "%v: %s", e.Flags().AppendNames(nil), text.String())
	}
}

// With extra_keys, a name that could be part of a value begins an attribute.
func TestExtraKeysAreExact(t *testing.T) {
	const text = "RequestUri=sip:8600,limit=1,Method=INVITE,note=a,b=c,Service=eventlogger.a"
	e, err := (&Decoder{Splitter: *NewSplitter([]string{"note", "limit"})}).Decode(text)
	require.NoError(t, err)
	assert.Equal(t, []string{"RequestUri=sip:8600", "limit=1", "Method=INVITE", "note=a,b=c", "Service=eventlogger.a"}, attributeTexts(&e.Line))
	assert.False(t, e.Flags().Has(Ambiguous))
}

// The laws hold for lines of the fixtures with random changes: misplaced separators lead
// to states of the scanner that well-formed values never reach.
func TestMutatedLines(t *testing.T) {
	var all []string
	for _, file := range fixtures(t) {
		all = append(all, lines(t, file)...)
	}
	pieces := []string{
		",", "=", `"`, "<", ">", ";", "@", ":", " ", `\`, "To=", ",Via=", ", From=", "SIP/", "null", "Creation Time=", ",x=1", "\n", "[", "]",
		";received=", ";Tag = ", "é", "\xff", "?", ",Service=eventlogger.a.REQUEST.INVITE", `From="x,To=y",a=1,"z`,
	}
	d := generator{rand.New(rand.NewPCG(5, 6))}
	var decoder Decoder
	for range 20_000 {
		text := d.one(all...)
		for range 1 + d.IntN(4) {
			start := d.IntN(len(text) + 1)
			end := min(len(text), start+d.IntN(6))
			text = text[:start] + d.one(pieces...) + text[end:]
		}
		requireLaws(t, &decoder, text)
	}
}
