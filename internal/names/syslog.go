// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package names

// Syslog is the prefix of names for a bridge's syslog lines, API of names for the API
// requests that trace lines describe.
const (
	Syslog = MeetingServer + ".syslog"
	API    = MeetingServer + ".api"
)

// Events of a bridge's syslog.
const (
	EventAPIRequest = API + ".request"
	EventAPIAudit   = API + ".audit"
	// EventSyslogLine is a line without an event of its own.
	EventSyslogLine = Syslog + ".line"
	// EventSyslogUnparsed is a line without a date in any known form.
	EventSyslogUnparsed        = Syslog + ".unparsed"
	EventSyslogConferenceIDs   = Syslog + ".conference.ids"
	EventSyslogCallLegIDs      = Syslog + ".call_leg.ids"
	EventSyslogCallOutgoing    = Syslog + ".call.outgoing"
	EventSyslogCallIncoming    = Syslog + ".call.incoming"
	EventSyslogCallRinging     = Syslog + ".call.ringing"
	EventSyslogParticipantJoin = Syslog + ".participant.join"
	EventSyslogParticipantQuit = Syslog + ".participant.leave"
	EventSyslogUnencrypted     = Syslog + ".conference.unencrypted"
	EventSyslogCommand         = Syslog + ".cli.command"
	EventSyslogWebAppAudit     = Syslog + ".web_app.audit"
	EventSyslogRecorderMissing = Syslog + ".fault.recorder_missing"
	EventSyslogNFSMountFailed  = Syslog + ".fault.nfs_mount_failed"
	EventSyslogDatabaseFatal   = Syslog + ".fault.database_fatal"
	EventSyslogC2WDown         = Syslog + ".fault.c2w_down"
	EventSyslogSSOError        = Syslog + ".fault.sso_error"
	EventSyslogHandshakeError  = Syslog + ".fault.handshake_error"
	EventSyslogFallback        = Syslog + ".fault.unencrypted_fallback"
)

// OpenTelemetry's own attributes of these events.
const (
	HostName               = "host.name"
	ContainerID            = "container.id"
	ProcessPID             = "process.pid"
	LogFilePath            = "log.file.path"
	ClientPort             = "client.port"
	UserName               = "user.name"
	HTTPRequestMethod      = "http.request.method"
	HTTPRequestBodySize    = "http.request.body.size"
	HTTPResponseBodySize   = "http.response.body.size"
	HTTPResponseStatusCode = "http.response.status_code"
	HTTPRoute              = "http.route"
	URLPath                = "url.path"
	URLQuery               = "url.query"
	URLTemplate            = "url.template"
)

// Attributes of every line that has the part.
const (
	// SyslogPriority is the number in angle brackets, as sent.
	SyslogPriority = Syslog + ".priority"
	// SyslogFacility and SyslogSeverity are those of the text "user.info", or of
	// the priority where there is no text.
	SyslogFacility = Syslog + ".facility"
	SyslogSeverity = Syslog + ".severity"
	// SyslogTag is the process that wrote the line, SyslogLevel the word that it
	// wrote in front of its message.
	SyslogTag   = Syslog + ".tag"
	SyslogLevel = Syslog + ".level"
	// SyslogCall is the bridge's own number of a call leg in "call 11: ...". Bridges reuse
	// these numbers.
	SyslogCall = Syslog + ".call"
)

// Attributes of the events.
const (
	// APITrace is the number of the API trace, unique on one bridge between two
	// restarts.
	APITrace = API + ".trace"
	// APILines is the number of syslog lines of a request.
	APILines = API + ".lines"
	// APIIncomplete says why a request is not complete.
	APIIncomplete = API + ".incomplete"
	// APIDuration is the time from the first line to that of the response, in
	// seconds; many bridges write whole seconds only.
	APIDuration = API + ".duration_seconds"
	// APIParameters is a map of the parameters in the body of a request.
	APIParameters = API + ".parameters"
	// APIWithheld is the number of parameters, or parts of one, that are not shown because
	// their name is unknown.
	APIWithheld = API + ".withheld"
	// APIResponse is a map of elements of the one object that a response holds.
	APIResponse = API + ".response"
	// APIResponseObject is the response's element that holds all others.
	APIResponseObject = API + ".response.object"
	// APIResponseTotal is the size of the collection that the response is a page of.
	APIResponseTotal = API + ".response.total"
	// APIResponseBody is a body that is not XML, or its logged part.
	APIResponseBody = API + ".response.body"
	// APIFailureReasons are the reasons that a bridge gave, separated by commas.
	APIFailureReasons = API + ".failure_reasons"
	// APILocation is the path of a created object.
	APILocation = API + ".location"
	// APIContentType is the media type of a request's body.
	APIContentType = API + ".content_type"
	// APIVerb is created, modified or deleted.
	APIVerb = API + ".verb"
	// APIObjectType, APIObjectID and APIObjectName are the object of a request or
	// of an audit line.
	APIObjectType = API + ".object.type"
	APIObjectID   = API + ".object.id"
	APIObjectName = API + ".object.name"

	// ConferenceName and ConferenceID are the name and id of a conference in a bridge's own
	// lines; the id is in no call detail record.
	ConferenceName = MeetingServer + ".conference.name"
	ConferenceID   = MeetingServer + ".conference.id"
	// CoSpaceName is the name of a space; CoSpaceNonMemberAccess says whether people who
	// are not members may join.
	CoSpaceName            = MeetingServer + ".cospace.name"
	CoSpaceNonMemberAccess = MeetingServer + ".cospace.non_member_access"
	// CallLegRemoteParty and CallLegLocalAddress are those of call detail records.
	CallLegRemoteParty  = MeetingServer + ".call_leg.remote_party"
	CallLegLocalAddress = MeetingServer + ".call_leg.local_address"
	// ParticipantURI is the address of a participant who joined or left.
	ParticipantURI = MeetingServer + ".participant.uri"

	CommandText   = MeetingServer + ".cli.command"
	CommandResult = MeetingServer + ".cli.result"

	WebAppSession     = MeetingServer + ".web_app.session.id"
	WebAppParticipant = MeetingServer + ".web_app.participant"
	WebAppAction      = MeetingServer + ".web_app.action"
)

// Metric names, counted from syslog lines.
const (
	MetricSyslogRecords      = Syslog + ".record"
	MetricSyslogFaults       = Syslog + ".fault"
	MetricSyslogRedacted     = Syslog + ".redacted"
	MetricAPIRequests        = API + ".request"
	MetricAPIRequestDuration = API + ".request.duration"
	MetricAPIAudits          = API + ".audit"
)

// Metric attribute keys of these.
const (
	KeyKind        = "kind"
	KeySeverity    = "severity"
	KeyVerb        = "verb"
	KeyMethod      = HTTPRequestMethod
	KeyRoute       = HTTPRoute
	KeyStatusClass = "status_class"
)
