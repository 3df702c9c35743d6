# Laid beside the files of every check. Where the sandbox listens, its keys and its Region come from the environment.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

data "aws_ssoadmin_instances" "this" {}

locals {
  instance = one(data.aws_ssoadmin_instances.this.arns)
  store    = one(data.aws_ssoadmin_instances.this.identity_store_ids)
}
