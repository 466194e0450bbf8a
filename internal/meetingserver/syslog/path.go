// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// apiPath is a parsed path of the API.
type apiPath struct {
	// route is the path with "{id}" for ids: "/api/v1/calls/{id}/callLegs". Words
	// that are not in the API guide are "{other}", and the route ends with the sixth
	// part, so that the number of routes is bounded.
	route string
	// object and id belong to the last object in the path.
	object, id string
	// ids are the ids in the path, by the attribute name of call detail records.
	ids []Pair
}

// maxPathParts is the largest number of parts of a route. Paths of the API have at most
// five.
const maxPathParts = 6

// parsePath parses a path. Words are compared without regard to case, as bridges do.
func parsePath(path string) (p apiPath) {
	var route strings.Builder
	rest := path
	version := ""
	if len(path) > 8 && strings.EqualFold(path[:5], "/api/") && strings.IndexByte(path[5:], '/') > 0 {
		version, rest, _ = strings.Cut(path[5:], "/")
	}
	if version != "v1" {
		return apiPath{route: names.Other}
	}
	route.WriteString("/api/v1")
	collection := ""
	for range maxPathParts {
		if rest == "" {
			break
		}
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		word, known := pathWords[strings.ToLower(part)]
		switch {
		case part == "":
		case known:
			collection = word
			route.WriteString("/" + word)
		case collection != "" && isObjectID(part):
			p.addObject(collection, part)
			collection = ""
			route.WriteString("/{id}")
		default:
			collection = ""
			route.WriteString("/{other}")
		}
	}
	p.route = route.String()
	return p
}

// addObject sets the object and adds its id.
func (p *apiPath) addObject(collection, id string) {
	if isGUID(id) {
		id = strings.ToLower(id)
	}
	p.object, p.id = collection, id
	if key := collectionIDs[collection]; key != "" {
		p.ids = append(p.ids, Pair{key, id})
	}
}

// isObjectID reports whether a part of a path can be an id: a GUID, or the number of one
// of a few old objects.
func isObjectID(part string) bool {
	return isGUID(part) || len(part) <= 20 && isDigits(part)
}

// collectionIDs maps collections to the attributes that call detail records have for the
// ids of their objects.
var collectionIDs = map[string]string{
	"calls": names.CallID, "callLegs": names.CallLegID, "coSpaces": names.CoSpaceID, "participants": names.ParticipantID, "tenants": names.TenantID,
}

// pathWords maps words in lower case to their spelling in the paths of the API guide.
var pathWords = func() map[string]string {
	all := make(map[string]string)
	for word := range strings.FieldsSeq(`
accessMethods accessQuery alarms bulkParameterSets bulkSync callBrandingProfiles callBridge callBridgeGroups callBridges callLegProfile callLegProfileTrace
callLegProfiles callLegs callProfiles calls camera cameraControl cdrReceiver cdrReceivers clusterLicensing compatibilityProfiles configuration coSpace coSpaceBulkParameterSets
coSpaceBulkSync coSpaceBulkSyncs coSpaces coSpaceTemplate coSpaceTemplates cluster cospaceUsers database diagnostics dialInSecurityProfiles dialTransforms directories
directorySearchLocations dtmfProfiles emailInvitation entry evaluate exceptions forwardingDialPlanRules generateKeyframe inboundDialPlanRules ivrBrandingProfiles
layout layoutTemplates ldapServers ldapSources ldapSyncs ldapMappings licensing limits load localUsers members messages meetingEntryDetail mpLicenseUsage
multipartyLicensing outboundDialPlanRules participants preferredCallBridge profiles provisionedCoSpaces recorder recorders recording statistics status
streamer streamers streaming system systemLoad tenantGroups tenants timedLogging turnServers updateAccessMethod uriUsageQuery usage users userCoSpaceTemplates
userProfiles userCoSpaces webBridgeProfiles webBridges webBridgeAddresses ivrNumbers schedulers xmpp activatedTracing tracing callRoster conferences`) {
		all[strings.ToLower(word)] = word
	}
	return all
}()
