{{- define "gapless.name" -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}-operator{{- end }}
{{- define "gapless.labels" -}}
app.kubernetes.io/name: gapless-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
{{- define "gapless.selector" -}}
app.kubernetes.io/name: gapless-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
