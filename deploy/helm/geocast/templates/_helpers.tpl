{{- define "geocast.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "geocast.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "geocast.labels" -}}
{{ include "geocast.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{/* What is listened on is the chart's: probes, service and policy rely on it. */}}
{{- define "geocast.config" -}}
{{- $fixed := dict "host" "0.0.0.0" "port" 8765 -}}
{{- if .Values.publishKey.existingSecret -}}
{{- $_ := set $fixed "publish_key_file" "/run/secrets/geocast/publish-key" -}}
{{- end -}}
{{- merge $fixed .Values.config | toPrettyJson -}}
{{- end }}
