{{/* Combinations that a schema cannot judge. Every message begins with the value that is wrong. */}}
{{- define "sluice.validate" -}}
{{- $v := .Values -}}
{{- if $v.hostNetwork -}}
  {{- if ne $v.exposure "Host" -}}
    {{- fail "\nhostNetwork: with exposure: Service the pods need no port of the node; set exposure: Host, or leave hostNetwork out\n" -}}
  {{- end -}}
  {{- if eq $v.privilegedPorts "PodSysctl" -}}
    {{- fail "\nprivilegedPorts: PodSysctl is for the pod's own network; with hostNetwork set net.ipv4.ip_unprivileged_port_start=0 on the nodes and privilegedPorts: NodeSysctl, or let the process be root with NET_BIND_SERVICE alone: privilegedPorts: Root\n" -}}
  {{- end -}}
  {{- if $v.networkPolicy.enabled -}}
    {{- fail "\nnetworkPolicy.enabled: a NetworkPolicy has no force over pods in the node's network; set it to false, or hostNetwork to false\n" -}}
  {{- end -}}
{{- else if has $v.privilegedPorts (list "NodeSysctl" "Root") -}}
  {{- fail (printf "\nprivilegedPorts: %s is for hostNetwork: true; in the pod's own network PodSysctl opens ports below 1024 without any privilege\n" $v.privilegedPorts) -}}
{{- end -}}
{{- if and (eq $v.kind "DaemonSet") $v.autoscaling.enabled -}}
  {{- fail "\nautoscaling.enabled: a DaemonSet has a pod on every node; set kind: Deployment, or autoscaling.enabled to false\n" -}}
{{- end -}}
{{- if and $v.autoscaling.enabled (gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) -}}
  {{- fail (printf "\nautoscaling.minReplicas: %d is more than maxReplicas, %d\n" (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if and $v.autoscaling.enabled (not $v.autoscaling.metrics) (kindIs "invalid" $v.autoscaling.targetCPUUtilizationPercentage) (kindIs "invalid" $v.autoscaling.targetMemoryUtilizationPercentage) -}}
  {{- fail "\nautoscaling.metrics: nothing to scale by; set targetCPUUtilizationPercentage, targetMemoryUtilizationPercentage or metrics\n" -}}
{{- end -}}
{{- if $v.podDisruptionBudget.enabled -}}
  {{- $most := not (kindIs "invalid" $v.podDisruptionBudget.maxUnavailable) -}}
  {{- $least := not (kindIs "invalid" $v.podDisruptionBudget.minAvailable) -}}
  {{- if eq $most $least -}}
    {{- fail "\npodDisruptionBudget: set either maxUnavailable or minAvailable, and the other one to null\n" -}}
  {{- end -}}
{{- end -}}
{{- if and $v.networkPolicy.enabled (eq $v.exposure "Host") (not $v.networkPolicy.listenerPorts) -}}
  {{- fail "\nnetworkPolicy.listenerPorts: with exposure: Host the chart does not know the listeners' ports; list them, such as [{port: 443}, {port: 5000, endPort: 5999}]\n" -}}
{{- end -}}
{{- range $v.networkPolicy.listenerPorts -}}
  {{- if and .endPort (lt (int .endPort) (int .port)) -}}
    {{- fail (printf "\nnetworkPolicy.listenerPorts: endPort %d is less than port %d\n" (int .endPort) (int .port)) -}}
  {{- end -}}
{{- end -}}
{{- $range := splitList "-" $v.portRange -}}
{{- if or (gt (index $range 0 | int) (index $range 1 | int)) (lt (index $range 0 | int) 1024) (gt (index $range 1 | int) 65535) -}}
  {{- fail (printf "\nportRange: %s must be FIRST-LAST of ports from 1024 to 65535, such as 20000-29999\n" $v.portRange) -}}
{{- end -}}
{{- if and (not $v.serviceAccount.create) (not $v.serviceAccount.name) $v.rbac.create -}}
  {{- fail "\nserviceAccount.name: the chart does not give its rights to the namespace's default ServiceAccount; name one, or set serviceAccount.create to true\n" -}}
{{- end -}}
{{- if and $v.watchNamespaces $v.rbac.aggregate -}}
  {{- fail "\nrbac.aggregate: needs ClusterRoles, which watchNamespaces does without; set it to false\n" -}}
{{- end -}}
{{- if and $v.watchNamespaces (eq (toString $v.rbac.nodes) "true") -}}
  {{- fail "\nrbac.nodes: needs a ClusterRole, which watchNamespaces does without; set it to null\n" -}}
{{- end -}}
{{- if and $v.watchNamespaces $v.gatewayClass.parametersName -}}
  {{- fail "\ngatewayClass.parametersName: with watchNamespaces no GatewayClass is read; refer to GatewayParameters in each Gateway's infrastructure.parametersRef\n" -}}
{{- end -}}
{{- if and (eq $v.exposure "Service") (eq (toString $v.rbac.gatewayServices) "false") -}}
  {{- fail "\nrbac.gatewayServices: with exposure: Service every Gateway needs one; set it to null, or exposure: Host\n" -}}
{{- end -}}
{{- if $v.alerts.disabled -}}
  {{- $known := list -}}
  {{- range (.Files.Get "files/alerts.yaml" | fromYaml).spec.groups }}{{ range .rules }}{{ $known = append $known .alert }}{{ end }}{{ end -}}
  {{- range $v.alerts.disabled -}}
    {{- if not (has . $known) -}}
      {{- fail (printf "\nalerts.disabled: there is no alert %s; there are %s\n" . (join ", " $known)) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $kind, $entries := dict "secrets" $v.rbac.secrets "configMaps" $v.rbac.configMaps -}}
  {{- range $entries -}}
    {{- if and $v.watchNamespaces (not (has .namespace $v.watchNamespaces)) -}}
      {{- fail (printf "\nrbac.%s: namespace %s is not among watchNamespaces: nothing there is served\n" $kind .namespace) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $v.extraEnv -}}
  {{- if hasPrefix "SLUICE_" .name -}}
    {{- fail (printf "\nextraEnv: %s is the twin of a flag of sluice; use config or extraArgs\n" .name) -}}
  {{- end -}}
{{- end -}}
{{- if and $v.metrics.podMonitor.enabled $v.metrics.serviceMonitor.enabled -}}
  {{- fail "\nmetrics.serviceMonitor.enabled: with the PodMonitor everything would be scraped twice; enable one of them\n" -}}
{{- end -}}
{{- if and $v.metrics.serviceMonitor.enabled (not $v.metrics.service.enabled) -}}
  {{- fail "\nmetrics.serviceMonitor.enabled: a ServiceMonitor needs metrics.service.enabled: true; a PodMonitor needs no Service\n" -}}
{{- end -}}
{{- if and $v.config.events.tokenFile (not (hasPrefix "https://" $v.config.events.sink)) -}}
  {{- fail "\nconfig.events.tokenFile: a token is sent to an https:// sink only\n" -}}
{{- end -}}
{{- if and $v.cache.enabled $v.cache.secrets (not $v.cache.keySecret) -}}
  {{- fail "\ncache.secrets: private keys are not kept in clear; name a Secret with keys in cache.keySecret\n" -}}
{{- end -}}
{{- $probe := int $v.config.probePort -}}
{{- if and (ge $probe (index $range 0 | int)) (le $probe (index $range 1 | int)) -}}
  {{- fail (printf "\nconfig.probePort: %d lies in portRange, %s\n" $probe $v.portRange) -}}
{{- end -}}
{{- $test := int $v.test.port -}}
{{- if and $v.test.enabled (eq $v.exposure "Host") (or (and (ge $test (index $range 0 | int)) (le $test (index $range 1 | int))) (eq $test $probe)) -}}
  {{- fail (printf "\ntest.port: %d cannot be a listener's on the host: it is config.probePort, or lies in portRange, %s\n" $test $v.portRange) -}}
{{- end -}}
{{- include "sluice.validateCluster" . -}}
{{- end -}}

{{/* What needs a cluster. Every cluster serves apiregistration.k8s.io, which Helm does not assume where it only renders: so
   `helm template` needs no cluster, and what renders for a real one (Argo CD too, which passes on what its cluster serves) is
   checked. No right is needed, unlike for `lookup`. */}}
{{- define "sluice.validateCluster" -}}
{{- $has := .Capabilities.APIVersions -}}
{{- if $has.Has "apiregistration.k8s.io/v1" -}}
  {{- if .Values.gatewayAPI.check -}}
    {{- $group := "gateway.networking.k8s.io" -}}
    {{- $command := printf "  kubectl apply --server-side -f https://github.com/kubernetes-sigs/gateway-api/releases/download/%s/standard-install.yaml\nIn a cluster whose provider brings Gateway API, ask the provider. gatewayAPI.check: false leaves this check out.\n" (index .Chart.Annotations "sluice.dev/gateway-api") -}}
    {{- if not (or ($has.Has (printf "%s/v1" $group)) ($has.Has (printf "%s/v1beta1" $group)) ($has.Has (printf "%s/v1alpha2" $group))) -}}
      {{- fail (printf "\nGateway API is missing in this cluster. Install its definitions first:\n%s" $command) -}}
    {{- end -}}
    {{- $missing := list -}}
    {{- range $kind, $versions := dict "GatewayClass" (list "v1") "Gateway" (list "v1") "TCPRoute" (list "v1" "v1alpha2") "TLSRoute" (list "v1" "v1alpha3" "v1alpha2") "ReferenceGrant" (list "v1" "v1beta1") -}}
      {{- $found := false -}}
      {{- range $versions -}}
        {{- if $has.Has (printf "%s/%s/%s" $group . $kind) }}{{ $found = true }}{{ end -}}
      {{- end -}}
      {{- if not $found }}{{ $missing = append $missing $kind }}{{ end -}}
    {{- end -}}
    {{- if $missing -}}
      {{- fail (printf "\nThe Gateway API of this cluster is too old, or lacks kinds that Sluice serves: %s. Install newer definitions first:\n%s" (join ", " (sortAlpha $missing)) $command) -}}
    {{- end -}}
  {{- end -}}
  {{- range $value, $kind := dict "metrics.podMonitor.enabled" "PodMonitor" "metrics.serviceMonitor.enabled" "ServiceMonitor" "alerts.enabled" "PrometheusRule" -}}
    {{- $wanted := index (dict "PodMonitor" $.Values.metrics.podMonitor.enabled "ServiceMonitor" $.Values.metrics.serviceMonitor.enabled "PrometheusRule" $.Values.alerts.enabled) $kind -}}
    {{- if and $wanted (not ($has.Has (printf "monitoring.coreos.com/v1/%s" $kind))) -}}
      {{- fail (printf "\n%s: this cluster has no %s; install the Prometheus Operator first, or set it to false\n" $value $kind) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}
