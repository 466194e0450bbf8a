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

// problem is the kind of a failure of a server.
type problem = metadata.AttributeProblem

// problemTexts are the log messages of the problems.
var problemTexts = map[problem]string{
	metadata.AttributeProblemUnreachable:  "The Call Bridge cannot be reached; trying again at each scrape",
	metadata.AttributeProblemUnauthorized: "The Call Bridge refuses username or password; it is asked again every five minutes, because accounts get locked. Mend username or password",
	metadata.AttributeProblemForbidden:    "The account may not use the API; it is asked again every five minutes. Give it the role api or admin",
	metadata.AttributeProblemNotAPI:       "Something else than a Call Bridge answers; trying again at each scrape",
	metadata.AttributeProblemBusy:         "The Call Bridge is busy; trying again at each scrape",
	metadata.AttributeProblemMalformed:    "The Call Bridge sends answers that cannot be read",
	metadata.AttributeProblemRefused:      "The Call Bridge answers requests with errors",
}

// problems returns all problems, in the order of metadata.yaml.
func problems() []problem {
	all := make([]problem, 0, len(metadata.MapAttributeProblem))
	for p := metadata.AttributeProblemBusy; len(all) < len(metadata.MapAttributeProblem); p++ {
		all = append(all, p)
	}
	return all
}

// problemFromError returns the problem that an error of a request indicates.
func problemFromError(err error) problem {
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

// concernsServer reports whether a problem concerns the whole server, so that requests for other
// objects would fail too.
func concernsServer(p problem) bool {
	return p != metadata.AttributeProblemMalformed && p != metadata.AttributeProblemRefused && p != metadata.AttributeProblemForbidden
}

// isUnknown reports whether the server does not know the requested object.
func isUnknown(err error) bool {
	if errors.Is(err, api.ErrSingleCDRReceiver) || errors.Is(err, api.ErrNoCDRReceivers) {
		return true // releases before R1.8 have no list
	}
	answer, answered := errors.AsType[*api.Error](err)
	return answered && answer.NotFound() && !answer.HTML
}

// isScrapeOver reports whether the end of the scrape, by time or number of requests, is the cause
// of an error.
func isScrapeOver(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, api.ErrBudget)
}

// outcomeOf returns the outcome of reading an object.
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
