"""Which inputs a resource cannot change in place: the provider then makes a new one and deletes the old.

After the schemas of the Terraform provider that pulumi-aws 7 is built on (`ForceNew`, and `RequiresReplace` of its
newer resources). A type is here once a change of settings has reached it.
"""

EVERY = frozenset({"*"})

REPLACED_BY: dict[str, frozenset[str]] = {
    "aws:acm/certificate:Certificate": frozenset({"domainName", "keyAlgorithm", "validationMethod"}),
    "aws:acm/certificateValidation:CertificateValidation": EVERY,
    "aws:appautoscaling/policy:Policy": frozenset({"resourceId", "scalableDimension", "serviceNamespace"}),
    "aws:appautoscaling/scheduledAction:ScheduledAction": frozenset({"resourceId"}),
    "aws:appautoscaling/target:Target": frozenset({"resourceId", "scalableDimension", "serviceNamespace"}),
    "aws:cloudwatch/dashboard:Dashboard": frozenset({"dashboardName"}),
    "aws:cloudwatch/eventRule:EventRule": frozenset({"eventBusName", "name", "namePrefix"}),
    "aws:cloudwatch/eventTarget:EventTarget": frozenset({"eventBusName", "rule", "targetId"}),
    "aws:cloudwatch/logGroup:LogGroup": frozenset({"name", "namePrefix"}),
    "aws:cloudwatch/metricAlarm:MetricAlarm": frozenset({"name"}),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": frozenset({"vpcId"}),
    "aws:ec2/eip:Eip": frozenset(),
    "aws:ec2/flowLog:FlowLog": EVERY,
    "aws:ec2/internetGateway:InternetGateway": frozenset(),
    "aws:ec2/natGateway:NatGateway": frozenset({"allocationId", "subnetId"}),
    "aws:ec2/route:Route": frozenset({"destinationCidrBlock", "routeTableId"}),
    "aws:ec2/routeTable:RouteTable": frozenset({"vpcId"}),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": frozenset({"subnetId"}),
    "aws:ec2/securityGroup:SecurityGroup": frozenset({"description", "vpcId"}),
    "aws:ec2/subnet:Subnet": frozenset({"availabilityZone", "cidrBlock", "vpcId"}),
    "aws:ec2/vpc:Vpc": frozenset({"cidrBlock"}),
    "aws:ec2/vpcEndpoint:VpcEndpoint": frozenset({"serviceName", "vpcEndpointType", "vpcId"}),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": EVERY,
    "aws:ecr/repository:Repository": frozenset({"encryptionConfigurations", "name"}),
    "aws:ecs/cluster:Cluster": frozenset({"name"}),
    "aws:ecs/service:Service": frozenset({"cluster", "launchType", "name"}),
    "aws:ecs/taskDefinition:TaskDefinition": EVERY,
    "aws:iam/role:Role": frozenset({"name"}),
    "aws:iam/rolePolicy:RolePolicy": frozenset({"name", "role"}),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": EVERY,
    "aws:lb/listener:Listener": frozenset({"loadBalancerArn"}),
    "aws:lb/listenerRule:ListenerRule": frozenset({"listenerArn"}),
    "aws:lb/loadBalancer:LoadBalancer": frozenset({"internal", "loadBalancerType", "name"}),
    "aws:lb/targetGroup:TargetGroup": frozenset({"name", "port", "protocol", "targetType", "vpcId"}),
    "aws:route53/record:Record": frozenset({"name", "type", "zoneId"}),
    "aws:s3/bucket:Bucket": frozenset({"bucket"}),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": frozenset({"bucket"}),
    "aws:scheduler/schedule:Schedule": frozenset({"groupName", "name", "namePrefix"}),
    "aws:sns/topic:Topic": frozenset({"fifoTopic", "name"}),
    "aws:sns/topicPolicy:TopicPolicy": frozenset({"arn"}),
    "aws:sns/topicSubscription:TopicSubscription": frozenset({"endpoint", "protocol", "topic"}),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": frozenset({"securityGroupId"}),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": frozenset({"securityGroupId"}),
    "aws:wafv2/ipSet:IpSet": frozenset({"ipAddressVersion", "scope"}),
    "aws:wafv2/webAcl:WebAcl": frozenset({"scope"}),
    "docker:index/image:Image": frozenset(),
}

KEPT: dict[str, frozenset[str]] = {"aws:ecr/repository:Repository": frozenset({"encryptionConfigurations"})}
"""Inputs that the provider leaves as they are once they are left away: `SuppressMissingOptionalConfigurationBlock`."""


def replaces(type_: str, changed: frozenset[str]) -> bool:
    """Whether a change of these inputs makes another resource. KeyError for a type that nobody looked up."""
    by = REPLACED_BY[type_]
    return by == EVERY or bool(by & changed)
