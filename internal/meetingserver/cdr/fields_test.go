// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// guide is the guide's section 3 once more, written from the document and not
// from the table under test: object, a kind, and the fields of that kind.
const guide = `
call text       name ownerName callType cdrTag
call id         coSpace tenant callCorrelator
call bool       coSpaceMetaDataConfigured endpointRecorded
call int        callLegsCompleted callLegsMaxActive
call double     durationSeconds
callLeg text    remoteParty originalRemoteParty localAddress displayName remoteAddress type subType lyncSubType direction
callLeg text    ivr sipCallId replacesSipCallId ownerId cdrTag confirmationStatus state reason reasonDetails
callLeg id      call groupId movedCallLeg movedCallLegCallBridge
callLeg bool    guestConnection recording streaming canMove deactivated remoteTeardown encryptedMedia unencryptedMedia
callLeg double  durationSeconds activatedDuration
callLeg double  mediaUsagePercentages/mainVideoViewer mediaUsagePercentages/mainVideoContributor
callLeg double  mediaUsagePercentages/presentationViewer mediaUsagePercentages/presentationContributor
callLeg double  mediaUsagePercentages/multistreamVideo
callLeg int     multistreamVideo/maxScreens
callLeg text    rxAudio/codec txAudio/codec rxVideo/codec txVideo/codec
callLeg int     rxVideo/maxSizeWidth rxVideo/maxSizeHeight txVideo/maxSizeWidth txVideo/maxSizeHeight
callLeg double  rxAudio/packetStatistics/packetLossBursts/duration rxAudio/packetStatistics/packetLossBursts/density
callLeg double  rxAudio/packetStatistics/packetGap/duration rxAudio/packetStatistics/packetGap/density
callLeg double  rxVideo/packetStatistics/packetLossBursts/duration rxVideo/packetStatistics/packetLossBursts/density
callLeg double  rxVideo/packetStatistics/packetGap/duration rxVideo/packetStatistics/packetGap/density
recording text  path recorderUrl recorderUri
recording id    call callLeg
streaming text  streamUrl streamerUrl streamerUri
streaming id    call callLeg
`

// example is a text of each kind and how it is rendered.
var example = map[string]struct{ text, shown string }{
	"text":   {"some text", "text:some text"},
	"id":     {"46d4 9cb4", "id:46d49cb4"},
	"bool":   {"true", "bool:true"},
	"int":    {"7", "int:7"},
	"double": {"7.5", "double:7.5"},
}

// documented returns the guide's kind names by object and path.
func documented() map[string]map[string]string {
	all := make(map[string]map[string]string)
	for line := range strings.Lines(guide) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		object, kind := words[0], words[1]
		if all[object] == nil {
			all[object] = make(map[string]string)
		}
		for _, path := range words[2:] {
			all[object][path] = kind
		}
	}
	return all
}

// element writes a path as nested elements around text.
func element(path, text string) string {
	names := strings.Split(path, "/")
	for _, name := range slices.Backward(names) {
		text = "<" + name + ">" + text + "</" + name + ">"
	}
	return text
}

func TestEveryDocumentedFieldIsReadAsItsKind(t *testing.T) {
	for object, paths := range documented() {
		for path, kind := range paths {
			e := example[kind]
			r := only(t, "<record><"+object+">"+element(path, e.text)+"</"+object+"></record>")
			assert.Equal(t, []string{path + "=" + e.shown}, fields(r), "%s %s", object, path)
			require.Len(t, r.Fields, 1)
			assert.Equal(t, path, Documented(r.Fields[0].ID).Path)
			assert.Equal(t, object, Documented(r.Fields[0].ID).Object.Element())
		}
	}
}

// All documented fields at once: none hides another one.
func TestAllDocumentedFieldsTogether(t *testing.T) {
	for object, paths := range documented() {
		var children strings.Builder
		want := make([]string, 0, len(paths))
		for _, path := range slices.Sorted(maps.Keys(paths)) {
			children.WriteString(element(path, example[paths[path]].text))
			want = append(want, path+"="+example[paths[path]].shown)
		}
		r := only(t, "<record><"+object+">"+children.String()+"</"+object+"></record>")
		assert.Equal(t, want, fields(r), "%s", object)
	}
}

// The table holds what the guide has, and beyond it only what makes the four
// media blocks alike, and the alarm.
func TestTheTableHoldsNothingElse(t *testing.T) {
	known := documented()
	beyond := map[string]bool{}
	for id := Unknown + 1; id < FieldCount; id++ {
		d := Documented(id)
		require.NotEmpty(t, d.Path, "field %d has no definition", id)
		if _, ok := known[d.Object.Element()][d.Path]; !ok {
			beyond[d.Object.Element()+" "+d.Path] = true
		}
	}
	for name := range beyond {
		_, path, _ := strings.Cut(name, " ")
		assert.True(t, strings.HasPrefix(path, "alarm/") || strings.HasPrefix(path, "rxAudio/maxSize") ||
			strings.HasPrefix(path, "txAudio/") || strings.HasPrefix(path, "txVideo/"), "%s is not documented", name)
	}
}

func TestDefinitionsAreUnique(t *testing.T) {
	seen := make(map[Definition]FieldID)
	for id := Unknown + 1; id < FieldCount; id++ {
		d := Documented(id)
		d.Kind = 0
		other, twice := seen[d]
		assert.False(t, twice, "%d and %d are both %v", id, other, d)
		seen[d] = id
	}
}

func TestMediaFields(t *testing.T) {
	count := 0
	for m := range MediaCount {
		for f := range MediaFieldCount {
			id := m.Field(f)
			gotMedia, gotField, ok := MediaOf(id)
			require.True(t, ok)
			assert.Equal(t, m, gotMedia)
			assert.Equal(t, f, gotField)
			count++
		}
	}
	for id := range FieldCount {
		if _, _, ok := MediaOf(id); ok {
			count--
		}
	}
	assert.Zero(t, count, "MediaOf knows exactly the media fields")
	assert.Equal(t, "txVideo/packetStatistics/packetGap/density", Documented(TxVideo.Field(GapDensity)).Path)
	assert.Equal(t, CallLegTxVideoGapDensity, TxVideo.Field(GapDensity))
	assert.Equal(t, CallLegRxVideoMaxSizeWidth, RxVideo.Field(MaxSizeWidth))
	assert.Equal(t, CallLegTxAudioCodec, TxAudio.Field(Codec))
}
