// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import "fmt"

// person is somebody who takes part in meetings.
type person struct{ name, user string }

func (p person) address() string { return p.user + "@example.test" }

// people have names that test a decoder's handling of text.
var people = []person{
	{"Ines Ostrow", "ines"},
	{"Søren Åkesson", "soren"},
	{"Zoë O'Brien", "zoe"},
	{"李小明", "xiaoming"},
	{"Łukasz Żak", "lukasz"},
	{"Ana María Ñúñez", "ana.maria"},
	{"Room 9 <North & South>", "room9"},
	{"山田 太郎", "taro"},
	{"Ελένη Παππά", "eleni"},
	{"Tom \"Tea\" Park", "tom.park"},
	{"Мария Иванова", "maria"},
	{"Béatrice l'Étang", "beatrice"},
	{"Olga P", "olga"},
	{"דנה לוי", "dana"},
	{"Ravi Kumar & Co", "ravi"},
	{"Boardroom 1", "board1"},
	{"김민준", "minjun"},
	{"Ümit Yılmaz", "umit"},
	{"🎷 Jazz Corner", "jazz"},
	{"Guest One", "guest-1"},
}

// device is the device of a person. It determines the properties of the leg.
type device struct {
	kind, subType, lyncSubType string
	detail                     string // distinguishes far ends in the reason when they hang up
	audio, video               []string
	phone                      bool // comes through a gateway, without a name
	guest                      bool
	app                        bool // no RTP statistics are kept
}

var devices = []device{
	{kind: "sip", detail: "SIP", audio: []string{"g722", "g722_1", "g722_1c", "aac", "opus"}, video: []string{"h264"}},
	{kind: "sip", audio: []string{"g728", "g729", "g722"}, video: []string{"h263", "h263+", "h261"}},
	{kind: "sip", subType: "avaya", detail: "SIP", audio: []string{"g722", "g711a"}, video: []string{"h264"}},
	{kind: "sip", subType: "lync", lyncSubType: "audioVideo", audio: []string{"g722", "g711u"}, video: []string{"h264Lync", "rtVideo"}},
	{kind: "sip", subType: "webApp", detail: "WebRTC", audio: []string{"opus"}, video: []string{"vp8", "h264"}, app: true},
	{kind: "sip", subType: "webApp", detail: "WebRTC", audio: []string{"opus"}, video: []string{"vp8"}, app: true, guest: true},
	{kind: "acano", audio: []string{"isacWb", "isacSwb", "speexNb", "speexWb", "speexUwb", "opus"}, video: []string{"h264", "vp8"}, app: true},
	{kind: "sip", audio: []string{"g711u", "g711a"}, phone: true},
}

// lyncDevice is the one device that can share a screen on a leg of its own.
var lyncDevice = devices[3]

// roomDevice is an ordinary SIP endpoint.
var roomDevice = devices[0]

// newCallerLeg makes the leg of a person who calls the given address.
func (w *World) newCallerLeg(p person, dev device, dialled string) *leg {
	l := &leg{device: dev}
	l.Kind, l.Participant = KindPerson, w.dice.GUID()
	l.Type, l.SubType, l.LyncSubType = dev.kind, dev.subType, dev.lyncSubType
	l.Direction = "incoming"
	l.RemoteParty, l.DisplayName = p.address(), p.name
	l.Guest = dev.guest
	l.CanMove = !dev.phone && w.dice.Chance(0.5)
	if dev.kind == "sip" {
		l.LocalAddress, l.RemoteAddress = dialled, p.address()
		l.SIPCallID = w.sipCallID()
	}
	if dev.phone {
		number := fmt.Sprintf("+1555%07d", w.dice.IntN(10_000_000))
		l.RemoteParty, l.DisplayName = number+";user=phone", ""
		l.RemoteAddress = number + "@gw.example.test"
	}
	if w.dice.Chance(0.1) {
		l.Tag = "dept=finance&site=7"
	}
	return l
}

// newCalleeLeg makes the leg of a person whom the bridge calls.
func (w *World) newCalleeLeg(p person, dev device, from string) *leg {
	l := w.newCallerLeg(p, dev, from)
	l.Direction = "outgoing"
	l.OwnerID = w.dice.GUID()
	return l
}

// sipCallID draws the Call-ID of a new SIP call.
func (w *World) sipCallID() string {
	w.calls++
	return fmt.Sprintf("%08x-%d@198.51.100.%d", w.dice.Uint32(), w.calls, w.dice.Between([2]int{1, 254}))
}
