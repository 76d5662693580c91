"""The certificate of `domain_name`, proved to AWS by a record in its zone."""

import pulumi
import pulumi_aws as aws

from stack.settings.config import Config


class Certificate(pulumi.ComponentResource):
    """An ACM certificate that is valid once it is here."""

    arn: pulumi.Output[str]

    def __init__(self, config: Config, zone_id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        """Request the certificate and wait until AWS has seen the record in the zone."""
        super().__init__("housing:balancer:Certificate", config.prefix, None, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=config.protected)
        certificate = aws.acm.Certificate(
            config.prefix,
            domain_name=config.domain_name,
            validation_method="DNS",
            key_algorithm="RSA_2048",
            opts=kept,
        )
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{config.prefix}-proof",
            zone_id=zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=60,
            opts=kept,
        )
        validation = aws.acm.CertificateValidation(
            config.prefix,
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=kept,
        )
        self.arn = validation.certificate_arn
        self.register_outputs({"arn": self.arn})
