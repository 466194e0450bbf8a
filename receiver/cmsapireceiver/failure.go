// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmsapireceiver

import (
	"context"
	"errors"
	"net/http"

	"github.com/legato-otel/legato/internal/meetingserver/api"
	"github.com/legato-otel/legato/internal/meetingserver/api/object"
	"github.com/legato-otel/legato/receiver/cmsapireceiver/internal/metadata"
)

// problem is why a server is not scraped, or not whole.
type problem = metadata.AttributeProblem

// problemTexts are what the log says when a problem comes.
var problemTexts = map[problem]string{
	metadata.AttributeProblemUnreachable:  "The Call Bridge cannot be reached; trying again at each scrape",
	metadata.AttributeProblemUnauthorized: "The Call Bridge refuses username or password; it is asked again every five minutes, because accounts get locked. Mend username or password",
	metadata.AttributeProblemForbidden:    "The account may not use the API; it is asked again every five minutes. Give it the role api or admin",
	metadata.AttributeProblemNotAPI:       "Something else than a Call Bridge answers; trying again at each scrape",
	metadata.AttributeProblemBusy:         "The Call Bridge is busy; trying again at each scrape",
	metadata.AttributeProblemMalformed:    "The Call Bridge sends answers that cannot be read",
	metadata.AttributeProblemRefused:      "The Call Bridge answers requests with errors",
}

// problems are all of them, in the order of metadata.yaml.
func problems() []problem {
	all := make([]problem, 0, len(metadata.MapAttributeProblem))
	for p := metadata.AttributeProblemBusy; len(all) < len(metadata.MapAttributeProblem); p++ {
		all = append(all, p)
	}
	return all
}

// problemOf tells why a request failed.
func problemOf(err error) problem {
	answer, answered := errors.AsType[*api.Error](err)
	switch {
	case errors.Is(err, api.ErrPaused), answered && answer.Status == http.StatusUnauthorized:
		return metadata.AttributeProblemUnauthorized
	case errors.Is(err, object.ErrHTML):
		return metadata.AttributeProblemNotAPI
	case errors.Is(err, api.ErrBusy), answered && answer.Status == http.StatusServiceUnavailable:
		return metadata.AttributeProblemBusy
	case answered && answer.Status == http.StatusForbidden:
		return metadata.AttributeProblemForbidden
	case errors.Is(err, object.ErrMalformed):
		return metadata.AttributeProblemMalformed
	case answered:
		return metadata.AttributeProblemRefused
	default:
		return metadata.AttributeProblemUnreachable
	}
}

// isOfServer tells whether a problem is one of the server as a whole, so that its
// other objects need not be asked for.
func isOfServer(p problem) bool {
	return p != metadata.AttributeProblemMalformed && p != metadata.AttributeProblemRefused && p != metadata.AttributeProblemForbidden
}

// isUnknown tells whether the server does not know the object that was asked for.
func isUnknown(err error) bool {
	if errors.Is(err, api.ErrSingleCDRReceiver) || errors.Is(err, api.ErrNoCDRReceivers) {
		return true // releases before R1.8 have no list
	}
	answer, answered := errors.AsType[*api.Error](err)
	return answered && answer.NotFound() && !answer.HTML
}

// isCut tells whether a request was not made or ended because the scrape is over:
// its time or its number of requests.
func isCut(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, api.ErrBudget)
}

// outcomeOf is how the reading of an object ended.
func outcomeOf(err error) metadata.AttributeReadOutcome {
	answer, answered := errors.AsType[*api.Error](err)
	switch {
	case err == nil:
		return metadata.AttributeReadOutcomeOk
	case isUnknown(err):
		return metadata.AttributeReadOutcomeNotFound
	case answered && answer.Unauthorized():
		return metadata.AttributeReadOutcomeUnauthorized
	case answered && answer.Status == http.StatusServiceUnavailable:
		return metadata.AttributeReadOutcomeBusy
	case errors.Is(err, object.ErrMalformed), errors.Is(err, object.ErrHTML):
		return metadata.AttributeReadOutcomeMalformed
	default:
		return metadata.AttributeReadOutcomeFailed
	}
}
