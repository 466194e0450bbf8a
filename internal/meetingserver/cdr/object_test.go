// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cdr

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// leg decodes a call leg with these children.
func leg(t *testing.T, children string) *Record {
	t.Helper()
	return only(t, `<record type="callLegEnd"><callLeg id="l">`+children+`</callLeg></record>`)
}

func TestLegFields(t *testing.T) {
	f := func(children string, want ...string) {
		t.Helper()
		if want == nil {
			want = []string{}
		}
		assert.Equal(t, want, fields(leg(t, children)), "%s", children)
	}
	// Texts are trimmed of XML's white space, and of nothing else.
	f("<reason>\r\n\t timeout \n</reason>", "reason=text:timeout")
	f("<displayName>\u00a0Åsa  B \u00a0</displayName>", "displayName=text:\u00a0Åsa  B \u00a0")
	f("<displayName>&#32;R&amp;D&#x20;</displayName>", "displayName=text:R&D")

	// Empty elements say something by being there.
	f("<ivr/>", "ivr=text:")
	f("<ivr></ivr>", "ivr=text:")
	f("<ivr> </ivr>", "ivr=text:")
	f("<displayName/><ownerId> </ownerId>", "displayName=text:", "ownerId=text:")
	f("<futureThing/>", "?futureThing=text:")
	f("<rxAudio/>", "?rxAudio=text:")
	f("")
	f(" \n ")

	// The wire's order stays.
	f("<call>c</call><state>connected</state>", "call=id:c", "state=text:connected")

	// Spellings: document errors 7 and 12.
	f("<groupId>g</groupId>", "groupId=id:g")
	f("<groupID>g</groupID>", "groupId=id:g")
	f("<multistreamVideo><maxScreens>2</maxScreens></multistreamVideo>", "multistreamVideo/maxScreens=int:2")
	f("<multiStreamVideo><maxScreens>2</maxScreens></multiStreamVideo>", "multistreamVideo/maxScreens=int:2")
	f("<mediaUsagePercentages><multistreamVideo>5.0</multistreamVideo></mediaUsagePercentages>",
		"mediaUsagePercentages/multistreamVideo=double:5")
	f("<mediaUsagePercentages><multiStreamVideo>5.0</multiStreamVideo></mediaUsagePercentages>",
		"mediaUsagePercentages/multistreamVideo=double:5")

	// Names that circulate and are wrong (trap 7), and translated ones
	// (document error 3), are unknown elements.
	f("<activeDuration>1</activeDuration>", "?activeDuration=text:1")
	f("<mediaUsagePercentage><x>1</x></mediaUsagePercentage>", "?mediaUsagePercentage/x=text:1")
	f("<方向>受信</方向>", "?方向=text:受信")

	// What the guide does not know is kept with its path.
	f("<a>1</a>", "?a=text:1")
	f("<a><b><c>1</c></b></a>", "?a/b/c=text:1")
	f("<a k='1'/>", "?a/@k=text:1", "?a=text:")
	f("<a k='1'>t</a>", "?a/@k=text:1", "?a=text:t")
	f("<a><b>1</b><b>2</b></a>", "?a/b=text:1", "?a/b=text:2")
	f("<reason lang='en'>x</reason>", "?reason/@lang=text:en", "reason=text:x")
	f("<rxAudio kind='k'><codec>opus</codec></rxAudio>", "?rxAudio/@kind=text:k", "rxAudio/codec=text:opus")
	f("<rxAudio><jitter>1</jitter></rxAudio>", "?rxAudio/jitter=text:1")
	f("<x:reason>y</x:reason>", "?x:reason=text:y")

	// A documented name at an undocumented place is not the documented field.
	f("<codec>opus</codec>", "?codec=text:opus")
	f("<a><reason>x</reason></a>", "?a/reason=text:x")
	f("<name>x</name>", "?name=text:x") // a call's

	// Text next to children.
	f("<rxAudio>t<codec>opus</codec>u</rxAudio>", "rxAudio/codec=text:opus", "?rxAudio=text:tu")
	f("<a>t<b/>u</a>", "?a/b=text:", "?a=text:tu")
	f("t<reason>x</reason>", "reason=text:x", "?=text:t")
	f("<reason>x<why>y</why></reason>", "?reason/why=text:y", "reason=text:x")

	// Text in pieces is one text.
	f("<reason>time<!-- c -->out</reason>", "reason=text:timeout")
	f("<reason><![CDATA[ti]]>me<?p i?>out</reason>", "reason=text:timeout")
	f("<displayName>A<![CDATA[ ]]>B</displayName>", "displayName=text:A B")
	f("<displayName> <![CDATA[ ]]>A <!-- c --> B<![CDATA[ ]]> </displayName>", "displayName=text:A  B")
	f("<displayName><![CDATA[<b>&amp;]]></displayName>", "displayName=text:<b>&amp;")

	// A documented field that comes twice: the first is the value, the second
	// is kept beside it.
	f("<reason>a</reason><reason>b</reason>", "reason=text:a", "?reason=text:b")
	f("<groupId>a</groupId><groupID>b</groupID>", "groupId=id:a", "?groupId=text:b")
}

func TestIDsLoseAllBlanks(t *testing.T) {
	// Document error 5: guides print an id over two lines.
	f := func(text, want string) {
		t.Helper()
		r := only(t, `<record type="callStart"><call id="`+text+`"><callCorrelator>`+text+`</callCorrelator></call></record>`)
		assert.Equal(t, want, r.ID, "%q", text)
		assert.Equal(t, []string{"callCorrelator=id:" + want}, fields(r), "%q", text)
	}
	f("1492c61c-870f", "1492c61c-870f")
	f(" 1492c61c-\n\t870f ", "1492c61c-870f")
	f("not a guid", "notaguid")
	f("", "")
	f("\u00a0a b", "\u00a0ab") // a no-break space is not white space to XML
}

func TestTextsKeepInnerBlanks(t *testing.T) {
	assert.Equal(t, []string{"sipCallId=text:a b"}, fields(leg(t, "<sipCallId>a b</sipCallId>")))
}

func TestAlarms(t *testing.T) {
	f := func(children string, want ...string) {
		t.Helper()
		r := leg(t, children)
		assert.Equal(t, want, alarms(r), "%s", children)
		assert.Empty(t, fields(r), "%s", children)
	}
	// The settled form.
	f(`<alarm type="packetLoss" durationPercentage="1.4" />`, "packetLoss=double:1.4")
	f(`<alarm durationPercentage='1.4' type='packetLoss'></alarm>`, "packetLoss=double:1.4")
	// Trap 5: 0.0 is an alarm.
	f(`<alarm type="packetLoss" durationPercentage="0.0"/>`, "packetLoss=double:0")
	// Trap 3: several, also of one type, in the order of the wire.
	f(`<alarm type="packetLoss" durationPercentage="1.4"/><alarm type="excessiveJitter" durationPercentage="2"/>`,
		"packetLoss=double:1.4", "excessiveJitter=double:2")
	f(`<alarm type="packetLoss" durationPercentage="1"/><alarm type="packetLoss" durationPercentage="9"/>`,
		"packetLoss=double:1", "packetLoss=double:9")
	// Tolerance: child elements, mixtures, a wrapper.
	f(`<alarm><type> packetLoss </type><durationPercentage>1.4</durationPercentage></alarm>`, "packetLoss=double:1.4")
	f(`<alarm type="packetLoss"><durationPercentage>1.4</durationPercentage></alarm>`, "packetLoss=double:1.4")
	f(`<alarms><alarm type="a" durationPercentage="1"/><alarm><type>b</type></alarm></alarms>`, "a=double:1", "b=text:")
	// Missing and bad parts.
	f(`<alarm/>`, "=text:")
	f(`<alarm type="excessiveJitter"/>`, "excessiveJitter=text:")
	f(`<alarm durationPercentage="2"/>`, "=double:2")
	f(`<alarm type="packetLoss" durationPercentage="NaN"/>`, "packetLoss=text:NaN")
	f(`<alarm type="later" durationPercentage="100.0"/>`, "later=double:100")
	// One alarm says nothing about the next one.
	f(`<alarm type="packetLoss" durationPercentage="1"/><alarm/>`, "packetLoss=double:1", "=text:")
}

func TestAlarmsKeepWhatIsUnknown(t *testing.T) {
	f := func(children, alarm string, want ...string) {
		t.Helper()
		r := leg(t, children)
		assert.Equal(t, []string{alarm}, alarms(r), "%s", children)
		assert.Equal(t, want, fields(r), "%s", children)
	}
	f(`<alarm type="a" durationPercentage="1" since="x"/>`, "a=double:1", "?alarm/@since=text:x")
	f(`<alarm type="a"><peak>9</peak></alarm>`, "a=text:", "?alarm/peak=text:9")
	f(`<alarm type="a">text</alarm>`, "a=text:", "?alarm=text:text")
	// What an alarm says twice is kept beside it, like any other field.
	f(`<alarm type="a"><type>b</type></alarm>`, "a=text:", "?alarm/type=text:b")
	f(`<alarm><durationPercentage>1</durationPercentage><durationPercentage>2</durationPercentage></alarm>`,
		"=double:1", "?alarm/durationPercentage=text:2")
	// The API's form is none of the CDR wire.
	assert.Equal(t, []string{"?alarms/packetLoss=text:"}, fields(leg(t, `<alarms><packetLoss/></alarms>`)))
}

func TestObjects(t *testing.T) {
	f := func(element string, want Object) {
		t.Helper()
		r := only(t, `<record type="callEnd"><`+element+` id=" i "/></record>`)
		assert.Equal(t, want, r.Object, "%s", element)
		assert.Equal(t, element, r.Element)
		assert.Equal(t, "i", r.ID)
		if want != ObjectUnknown {
			assert.Equal(t, element, want.Element())
		}
	}
	f("call", Call)
	f("callLeg", CallLeg)
	f("recording", Recording)
	f("streaming", Streaming)
	f("transcript", ObjectUnknown)
	f("CallLeg", ObjectUnknown)
}

// What an unknown object holds is kept under its path, whatever it is called.
func TestUnknownObject(t *testing.T) {
	r := only(t, `<record type="x"><transcript id="i" k="v">t<name>n</name><call>c</call><alarm type="a"/></transcript></record>`)
	assert.Equal(t, []string{
		"?@k=text:v", "?name=text:n", "?call=text:c", "?alarm/@type=text:a", "?alarm=text:", "?=text:t",
	}, fields(r))
	assert.Empty(t, r.Alarms)
}

// Trap 4 and document error 14: ends have no call, starts have a groupId; no
// type forbids another type's fields.
func TestFieldsBelongToObjectsNotTypes(t *testing.T) {
	r := only(t, `<record type="callLegStart"><callLeg><reason>x</reason></callLeg></record>`)
	assert.Equal(t, []string{"reason=text:x"}, fields(r))
	r = only(t, `<record type="callEnd"><callLeg><reason>x</reason></callLeg></record>`)
	assert.Equal(t, CallLeg, r.Object)
	assert.Equal(t, []string{"reason=text:x"}, fields(r))
}

func TestField(t *testing.T) {
	r := leg(t, "<reason>timeout</reason>")
	v, ok := r.Field(CallLegReason)
	assert.True(t, ok)
	assert.Equal(t, "timeout", v.Text)
	_, ok = r.Field(CallLegState)
	assert.False(t, ok)
}
