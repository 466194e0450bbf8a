// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// convert appends collected data to out, as metrics of a resource.
func convert(resource attribute.Set, data *metricdata.ResourceMetrics, out pmetric.Metrics) error {
	if len(data.ScopeMetrics) == 0 {
		return nil
	}
	var errs error
	rm := out.ResourceMetrics().AppendEmpty()
	putAttributes(resource, rm.Resource().Attributes())
	for i := range data.ScopeMetrics {
		scope := &data.ScopeMetrics[i]
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName(scope.Scope.Name)
		sm.Scope().SetVersion(scope.Scope.Version)
		for j := range scope.Metrics {
			errs = errors.Join(errs, convertMetric(&scope.Metrics[j], sm.Metrics().AppendEmpty()))
		}
		sm.Metrics().RemoveIf(func(m pmetric.Metric) bool { return m.Type() == pmetric.MetricTypeEmpty })
	}
	return errs
}

func convertMetric(in *metricdata.Metrics, out pmetric.Metric) error {
	out.SetName(in.Name)
	out.SetDescription(in.Description)
	out.SetUnit(in.Unit)
	switch data := in.Data.(type) {
	case metricdata.Sum[int64]:
		convertSum(data, out.SetEmptySum())
	case metricdata.Sum[float64]:
		convertSum(data, out.SetEmptySum())
	case metricdata.Gauge[int64]:
		convertPoints(data.DataPoints, out.SetEmptyGauge().DataPoints())
	case metricdata.Gauge[float64]:
		convertPoints(data.DataPoints, out.SetEmptyGauge().DataPoints())
	case metricdata.Histogram[int64]:
		convertHistogram(data, out.SetEmptyHistogram())
	case metricdata.Histogram[float64]:
		convertHistogram(data, out.SetEmptyHistogram())
	default:
		return fmt.Errorf("metric %s: no conversion for %T", in.Name, in.Data)
	}
	return nil
}

func convertSum[N int64 | float64](in metricdata.Sum[N], out pmetric.Sum) {
	out.SetIsMonotonic(in.IsMonotonic)
	out.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	convertPoints(in.DataPoints, out.DataPoints())
}

func convertPoints[N int64 | float64](in []metricdata.DataPoint[N], out pmetric.NumberDataPointSlice) {
	out.EnsureCapacity(len(in))
	for i := range in {
		p := out.AppendEmpty()
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(in[i].StartTime))
		p.SetTimestamp(pcommon.NewTimestampFromTime(in[i].Time))
		putAttributes(in[i].Attributes, p.Attributes())
		exemplars(in[i].Exemplars, p.Exemplars())
		switch value := any(in[i].Value).(type) {
		case int64:
			p.SetIntValue(value)
		case float64:
			p.SetDoubleValue(value)
		}
	}
}

func convertHistogram[N int64 | float64](in metricdata.Histogram[N], out pmetric.Histogram) {
	out.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	out.DataPoints().EnsureCapacity(len(in.DataPoints))
	for i := range in.DataPoints {
		from := &in.DataPoints[i]
		p := out.DataPoints().AppendEmpty()
		p.SetStartTimestamp(pcommon.NewTimestampFromTime(from.StartTime))
		p.SetTimestamp(pcommon.NewTimestampFromTime(from.Time))
		putAttributes(from.Attributes, p.Attributes())
		p.SetCount(from.Count)
		p.SetSum(float64(from.Sum))
		p.ExplicitBounds().FromRaw(from.Bounds)
		p.BucketCounts().FromRaw(from.BucketCounts)
		exemplars(from.Exemplars, p.Exemplars())
		if v, ok := from.Min.Value(); ok {
			p.SetMin(float64(v))
		}
		if v, ok := from.Max.Value(); ok {
			p.SetMax(float64(v))
		}
	}
}

func exemplars[N int64 | float64](in []metricdata.Exemplar[N], out pmetric.ExemplarSlice) {
	out.EnsureCapacity(len(in))
	for i := range in {
		e := out.AppendEmpty()
		e.SetTimestamp(pcommon.NewTimestampFromTime(in[i].Time))
		switch value := any(in[i].Value).(type) {
		case int64:
			e.SetIntValue(value)
		case float64:
			e.SetDoubleValue(value)
		}
		var traceID pcommon.TraceID
		var spanID pcommon.SpanID
		copy(traceID[:], in[i].TraceID)
		copy(spanID[:], in[i].SpanID)
		e.SetTraceID(traceID)
		e.SetSpanID(spanID)
	}
}

func putAttributes(in attribute.Set, out pcommon.Map) {
	out.EnsureCapacity(in.Len())
	for iter := in.Iter(); iter.Next(); {
		kv := iter.Attribute()
		key := string(kv.Key)
		switch kv.Value.Type() {
		case attribute.BOOL:
			out.PutBool(key, kv.Value.AsBool())
		case attribute.INT64:
			out.PutInt(key, kv.Value.AsInt64())
		case attribute.FLOAT64:
			out.PutDouble(key, kv.Value.AsFloat64())
		default:
			out.PutStr(key, kv.Value.String())
		}
	}
}
