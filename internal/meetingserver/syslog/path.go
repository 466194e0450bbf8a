// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"strings"

	"github.com/legato-otel/legato/internal/names"
)

// apiPath is a path of the API, taken apart.
type apiPath struct {
	// route is the path with "{id}" for ids: "/api/v1/calls/{id}/callLegs". Words
	// that the API guide does not have are "{other}", and what follows the sixth
	// part is left out, so that there are few routes.
	route string
	// object and id are of the last object that the path names.
	object, id string
	// ids are those that call detail records have a name for.
	ids []Pair
}

// maxPathParts is how many parts of a path make the route. The API has five at most.
const maxPathParts = 6

// readPath reads a path. The bridge takes words in any case of letters.
func readPath(path string) (p apiPath) {
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
			p.add(collection, part)
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

// add notes the object of a collection.
func (p *apiPath) add(collection, id string) {
	if isGUID(id) {
		id = strings.ToLower(id)
	}
	p.object, p.id = collection, id
	if key := collectionIDs[collection]; key != "" {
		p.ids = append(p.ids, Pair{key, id})
	}
}

// isObjectID tells whether a part of a path can be an id: GUIDs, and the numbers of a
// few old objects.
func isObjectID(part string) bool {
	return isGUID(part) || len(part) <= 20 && isDigits(part)
}

// collectionIDs are the names that call detail records have for the ids of objects.
var collectionIDs = map[string]string{
	"calls": names.CallID, "callLegs": names.CallLegID, "coSpaces": names.CoSpaceID, "participants": names.ParticipantID, "tenants": names.TenantID,
}

// pathWords are the words of the API guide's paths, by their lower case.
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
